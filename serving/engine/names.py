"""The mall's words for categories and brands, turned into the codes of the live catalogue."""

from features.contracts.catalogue import CATEGORY_SEPARATOR
from serving.engine.asking import RequestedFilters
from serving.rules import Filters
from training.interactions import ItemCatalogue

#: A code that no item has: a filter on a name that does not exist matches nothing.
_NOTHING = -2


class CatalogueNames:
    """Looks up names of one catalogue."""

    def __init__(self, catalogue: ItemCatalogue) -> None:
        self._brands = {name: code for code, name in enumerate(catalogue.brand_names)}
        self._categories: dict[str, set[int]] = {}
        for code, path in enumerate(catalogue.category_names):
            levels = path.split(CATEGORY_SEPARATOR)
            for depth in range(1, len(levels) + 1):
                self._categories.setdefault(CATEGORY_SEPARATOR.join(levels[:depth]), set()).add(code)

    def filters(self, asked: RequestedFilters) -> Filters:
        """The filters in codes. A category stands for itself and everything below it."""
        categories = {code for name in asked.categories for code in self._categories.get(name, {_NOTHING})}
        brands = {self._brands.get(name, _NOTHING) for name in asked.brands}
        return Filters(frozenset(categories), frozenset(brands), asked.price_min, asked.price_max)

    def unknown(self, asked: RequestedFilters) -> tuple[str, ...]:
        """The names that no item of the catalogue has."""
        categories = [name for name in asked.categories if name not in self._categories]
        return (*categories, *(name for name in asked.brands if name not in self._brands))
