"""Which crystal a sample's free text speaks of."""

import re
import unicodedata

from antema.domain.lattices import ATOMIC_NUMBERS, LATTICES, Lattice, alloy

_LEARNED = "face-centred cubic"
_NAMES: dict[str, str] = {
    # compounds before what they begin with
    r"cadmium[ -]?selenid\w*": "CdSe",
    r"cadmium[ -]?(sul(f|ph)id\w*)": "CdS",
    r"cadmium[ -]?tellurid\w*": "CdTe",
    r"(zinc|zink)[ -]?ox[iy]d\w*": "ZnO",
    r"(zinc|zink)[ -]?sul(f|ph)id\w*": "ZnS",
    r"(zinc|zink)[ -]?selenid\w*": "ZnSe",
    r"indium[ -]?phosphid\w*": "InP",
    r"indium[ -]?arsenid\w*": "InAs",
    r"gallium[ -]?arsenid\w*": "GaAs",
    r"(lead|blei)[ -]?sul(f|ph)id\w*": "PbS",
    r"(lead|blei)[ -]?selenid\w*": "PbSe",
    r"(lead|blei)[ -]?tellurid\w*": "PbTe",
    r"magnesia|magnesium[ -]?ox[iy]d\w*": "MgO",
    r"nickel[ -]?(\(ii\)[ -]?)?ox[iy]d\w*": "NiO",
    r"ceria|cer(ium)?[ -]?(\(iv\)[ -]?)?(di)?ox[iy]d\w*|nanoceria": "CeO2",
    r"cuprous oxide|(copper|kupfer)[ -]?\(i\)[ -]?ox[iy]d\w*": "Cu2O",
    r"anatas\w*|titania|titan(ium)?[ -]?(\(iv\)[ -]?)?(di)?ox[iy]d\w*": "TiO2",
    r"rutil\w*": "TiO2 rutile",
    r"(tin|zinn)[ -]?(\(iv\)[ -]?)?(di)?ox[iy]d\w*": "SnO2",
    r"maghemit\w*": "Fe2O3",
    r"h(a)?ematit\w*|hämatit\w*": "Fe2O3 corundum",
    r"magnetit\w*|spions?|(iron|eisen)[ -]?ox[iy]d\w*|ferrofluid\w*": "Fe3O4",
    r"(cobalt|kobalt)[ -]?ferrit\w*": "CoFe2O4",
    r"strontium[ -]?titan\w*": "SrTiO3",
    r"gold\w*": "Au",
    r"silver\w*|silber\w*": "Ag",
    r"platin\w*": "Pt",
    r"palladium\w*": "Pd",
    r"copper\w*|kupfer\w*": "Cu",
    r"nickel\w*": "Ni",
    r"alumini?um\w*": "Al",
    r"rhodium\w*": "Rh",
    r"iridium\w*": "Ir",
    r"ruthenium\w*": "Ru",
    r"(cobalt|kobalt)\w*": "Co",
    r"iron\w*|eisen\w*": "Fe",
    r"silicon\b|silizium\w*|silicium\w*": "Si",
    r"germanium\w*": "Ge",
}
_NAME = re.compile("|".join(rf"\b(?P<n{n}>{pattern})" for n, pattern in enumerate(_NAMES)), re.IGNORECASE)
_OTHER_COMPOUND = re.compile(
    r"[ -]?(\([iv,]+\)[ -]?)?(ox[iy]d|hydrox|sul(f|ph)id|selenid|tellurid|nitrid|carbid|phosphid|chlorid|bromid|iodid|"
    r"cyanid|salt\b|salz|grids?\b|netz)",
    re.IGNORECASE,
)
_MADE_OF_OXIDE = re.compile(r"\w*(ox[iy]d|sulfid|sulphid|selenid|tellurid|chlorid|netz)\w*$", re.IGNORECASE)
_FORMULA = re.compile(
    r"(?<![A-Za-z])(?:(?:[A-Z][a-z]?)(?:\d+(?:\.\d+)?)?)+(?:(?=NPs?\b|NCs?\b|NRs?\b|QDs?\b)|(?![a-z]))"
)
_PART = re.compile(r"([A-Z][a-z]?)(\d+(?:\.\d+)?)?")
_RATIO = re.compile(r"(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)(?!\s*:)")
_SUPPORT = re.compile(r"\b(?:on|auf|supported (?:on|by)|deposited on)\b.*", re.IGNORECASE | re.DOTALL)
_SUPPORTED = re.compile(r"[\w.]+[ -](?:supported|getragen\w*)", re.IGNORECASE)
_COATING = re.compile(r"[\w.]+[ -](?:coated|capped|stabili[sz]ed|beschichtet\w*|stabilisiert\w*)", re.IGNORECASE)
_POLYMORPHS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"rutil", re.IGNORECASE), ("TiO2 rutile",)),
    (re.compile(r"anatas", re.IGNORECASE), ("TiO2 anatase",)),
    (
        re.compile(r"zinc ?blende|zinkblende|sphalerit|cubic|kubisch", re.IGNORECASE),
        ("CdSe zinc blende", "CdS zinc blende", "ZnS zinc blende"),
    ),
    (
        re.compile(r"w[uü]rtzit|hexagonal", re.IGNORECASE),
        ("CdSe wurtzite", "CdS wurtzite", "ZnS wurtzite"),
    ),
    (re.compile(r"h(a)?ematit|hämatit|\balpha\b|α", re.IGNORECASE), ("Fe2O3 corundum",)),
    (re.compile(r"maghemit|\bgamma\b|γ", re.IGNORECASE), ("Fe2O3 maghemite",)),
)


def classes_caution(text: str) -> str:
    """Return what is to be said of the crystallinity of a material that no classifier learned; else nothing.

    Parameters
    ----------
    text : str
        Description of a sample; one that names no known crystal gives no caution either.
    """
    material = material_named(text)
    if material is None or material.structure == _LEARNED:
        return ""
    return f"The classifier learned {_LEARNED} metals alone: what it says of {material.name} is a guess."


def material_named(text: str) -> Lattice | None:
    """Return the crystal that a description of a sample names first, None where it names none that is known.

    Formulas, English and German names are understood; several metals of one structure make an alloy, in equal parts
    where no composition is given (``AgPt``, ``Ag3Pt``, ``silver-platinum 1:3``). What lies "on" something, or is
    supported, coated or capped by it, is looked for, not what it lies on.

    Examples
    --------
    >>> material_named("gold, thiolate-capped").formula
    'Au'
    >>> material_named("CdSe quantum dots, zinc blende").structure
    'zinc blende'
    >>> round(material_named("AgPt (1:3)").largest_spacing_nm, 4)
    0.2289
    >>> material_named("latex beads")
    """
    plain = unicodedata.normalize("NFKC", text)  # subscripts become digits
    for around in (_SUPPORT, _SUPPORTED, _COATING):
        without = around.sub(" ", plain)
        plain = without if without.strip() else plain
    found = sorted(_formulas(plain) + _names(plain), key=lambda one: one[0])
    if not found:
        return None
    first = found[0][1]
    if len(first) == 1 and next(iter(first)) not in _METALS:
        return _of_structure(next(iter(first)), plain)
    shares: dict[str, float] = {}
    for _, one in found:
        if all(symbol in _METALS for symbol in one):
            for symbol, amount in one.items():
                shares.setdefault(symbol, amount)
    kind = LATTICES[next(iter(shares))].structure
    shares = {symbol: amount for symbol, amount in shares.items() if LATTICES[symbol].structure == kind}
    if len(shares) == 1:
        return LATTICES[next(iter(shares))]
    ratio = _RATIO.search(plain)
    if ratio and len(shares) == 2 and float(ratio[1]) + float(ratio[2]) > 0:
        shares = dict(zip(shares, (float(ratio[1]), float(ratio[2])), strict=True))
    return alloy(shares)


_METALS = {
    key
    for key, one in LATTICES.items()
    if one.structure in ("face-centred cubic", "body-centred cubic", "hexagonal close-packed")
}
_COMPOSITIONS = {
    frozenset((symbol, float(amount or 1)) for symbol, amount in _PART.findall(one.formula)): one.formula
    for one in LATTICES.values()
}


def _formulas(text: str) -> list[tuple[int, dict[str, float]]]:
    found: list[tuple[int, dict[str, float]]] = []
    for match in _FORMULA.finditer(text):
        if _OTHER_COMPOUND.match(text, match.end()):
            continue
        parts = _PART.findall(re.sub(r"(NP|NC|NR|QD)s?$", "", match[0]))
        if not parts or any(symbol not in ATOMIC_NUMBERS for symbol, _ in parts):
            continue
        composition = {symbol: float(amount or 1) for symbol, amount in parts}
        known = _COMPOSITIONS.get(frozenset(composition.items()))
        if known and known not in _METALS:
            found.append((match.start(), {known: 1.0}))
        elif all(symbol in _METALS for symbol in composition):
            # the number of atoms of a cluster says nothing of an alloy
            single = len(composition) == 1
            found.append((match.start(), dict.fromkeys(composition, 1.0) if single else composition))
        elif len(composition) == 1 and parts[0][0] in ("Si", "Ge"):
            found.append((match.start(), {parts[0][0]: 1.0}))
    return found


def _names(text: str) -> list[tuple[int, dict[str, float]]]:
    found: list[tuple[int, dict[str, float]]] = []
    keys = list(_NAMES.values())
    for match in _NAME.finditer(text):
        key = keys[int(str(match.lastgroup)[1:])]
        other = _OTHER_COMPOUND.match(text, match.end()) or _MADE_OF_OXIDE.match(match[0])
        if key in _METALS | {"Si", "Ge"} and other:
            continue
        found.append((match.start(), {key: 1.0}))
    return found


def _of_structure(key: str, text: str) -> Lattice:
    formula = LATTICES[key].formula
    for words, structures in _POLYMORPHS:
        if words.search(text):
            for name in structures:
                if name.split()[0] == formula:
                    return LATTICES[name]
    return LATTICES[key]
