/* A number typed beside a slider counts once Enter is pressed, as in any other field, not only when the field is left. */
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".dash-range-slider-input")) event.target.blur();
});
