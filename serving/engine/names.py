"""The mall's words for categories and brands, turned into the codes of the live catalogue."""

from serving.engine.asking import RequestedFilters
from serving.rules import NO_FILTERS, Filters, Names

#: A code that no item has: a filter on a name that does not exist matches nothing.
_NOTHING = -2
_UNRESTRICTED = RequestedFilters()


def filters_of(asked: RequestedFilters, names: Names) -> Filters:
    """The filters in codes. A category stands for itself and everything below it."""
    if asked == _UNRESTRICTED:
        return NO_FILTERS
    categories = {code for name in asked.categories for code in names.categories.get(name, (_NOTHING,))}
    brands = {names.brands.get(name, _NOTHING) for name in asked.brands}
    return Filters(frozenset(categories), frozenset(brands), asked.price_min, asked.price_max)


def unknown_names(asked: RequestedFilters, names: Names) -> tuple[str, ...]:
    """The names that no item of the catalogue has."""
    categories = [name for name in asked.categories if name not in names.categories]
    return (*categories, *(name for name in asked.brands if name not in names.brands))
