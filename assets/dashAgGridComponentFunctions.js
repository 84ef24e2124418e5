/* Cell renderers of the tables. */
const dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

dagcomponentfuncs.SampleLink = function (props) {
  return React.createElement("a", { href: "/samples/" + props.data.id }, props.value);
};
