"""Interest: the categories, brands, price bands and items that hold a user's attention, and how strongly."""

from collections.abc import Callable

from features.tags.spec import Dimension, Family, Value, counts, real, share, tag, word
from features.tags.spec.bases import (
    PRICE_BANDS,
    ShiftingCategories,
    UserBrands,
    UserCategories,
    UserDepartments,
    UserItems,
    UserPriceBands,
)
from features.tags.spec.keyed import Keyed

FAMILY = Family("interest", "兴趣", "What holds the user's attention: a view counts 1, a wish 3, a bought line 5.")
CATEGORIES = FAMILY.dimension("category_interest", "Interest in categories", "品类兴趣")
BRANDS = FAMILY.dimension("brand_interest", "Interest in brands", "品牌兴趣")
PRICES = FAMILY.dimension("price_interest", "Interest in price bands", "价格带兴趣")
ITEMS = FAMILY.dimension("item_interest", "Interest in items", "商品兴趣")
SHIFTS = FAMILY.dimension("shifting_interest", "Rising and fading interest", "兴趣变化")
WINDOWS = (30, 90, None)


@tag(
    "top_category",
    CATEGORIES,
    word("no interest in a known category"),
    title=("Top category", "最感兴趣品类"),
    over=WINDOWS,
)
def top_category(categories: UserCategories) -> Value:
    """The category path of the greatest interest."""
    return categories.top(categories.interest)


@tag(
    "top_category_share",
    CATEGORIES,
    share("no interest in a known category"),
    title=("Share of the top category", "首位品类占比"),
    over=WINDOWS,
)
def top_category_share(categories: UserCategories) -> Value:
    """The part of all interest in known categories that the top one holds."""
    return categories.top_share(categories.interest)


@tag(
    "interest_categories",
    CATEGORIES,
    counts("categories"),
    title=("Categories of interest", "感兴趣品类数"),
    over=WINDOWS,
)
def interest_categories(categories: UserCategories) -> Value:
    """Different categories viewed, wished for or bought."""
    return categories.distinct(categories.interest)


@tag(
    "interest_entropy",
    CATEGORIES,
    real("nats", "no interest in a known category"),
    title=("Spread of interest", "兴趣分散度"),
    over=WINDOWS,
)
def interest_entropy(categories: UserCategories) -> Value:
    """Shannon entropy of interest over categories: 0 when all is in one."""
    return categories.entropy(categories.interest)


@tag(
    "top_department",
    CATEGORIES,
    word("no interest in a known category"),
    title=("Top department", "最感兴趣一级品类"),
    over=WINDOWS,
)
def top_department(departments: UserDepartments) -> Value:
    """The first level of the category path with the greatest interest."""
    return departments.top(departments.interest)


@tag("top_brand", BRANDS, word("no interest in a known brand"), title=("Top brand", "最感兴趣品牌"), over=WINDOWS)
def top_brand(brands: UserBrands) -> Value:
    """The brand of the greatest interest."""
    return brands.at(brands.place, 1, brands.interest)


@tag(
    "top_brand_share",
    BRANDS,
    share("no interest in a known brand"),
    title=("Share of the top brand", "首位品牌占比"),
    over=WINDOWS,
)
def top_brand_share(brands: UserBrands) -> Value:
    """The part of all interest in known brands that the top one holds."""
    return brands.top_share(brands.interest)


@tag("top_item", ITEMS, word("no interest in an item"), title=("Top item", "最感兴趣商品"), over=(30, None))
def top_item(items: UserItems) -> Value:
    """The id of the item with the greatest interest."""
    return items.top(items.interest)


@tag(
    "top_department_share",
    CATEGORIES,
    share("no interest in a known category"),
    title=("Share of the top department", "首位一级品类占比"),
    over=(90,),
)
def top_department_share(departments: UserDepartments) -> Value:
    """The part of all interest in known categories that the top department holds."""
    return departments.top_share(departments.interest)


@tag(
    "top_price_band",
    PRICES,
    word("no interest in an item with a price", PRICE_BANDS),
    title=("Top price band", "最感兴趣价格带"),
    over=(30, 90),
)
def top_price_band(bands: UserPriceBands) -> Value:
    """The price band of the greatest interest: by what he paid for a piece, or the listed price where he looked.

    Where the bands begin is set by price_bands in configs/tags.yaml (10, 50, 200, 1000).
    """
    return bands.at(bands.place, 1, bands.interest)


@tag(
    "top_price_band_share",
    PRICES,
    share("no interest in an item with a price"),
    title=("Share of the top price band", "首位价格带占比"),
    over=(30, 90),
)
def top_price_band_share(bands: UserPriceBands) -> Value:
    """The part of all interest in items with a price that the top band holds."""
    return bands.top_share(bands.interest)


def _key_at(base: type[Keyed], number: int) -> Callable[..., Value]:
    def expression(keys: Value) -> Value:
        return keys.at(keys.place, number, keys.interest)

    expression.__annotations__["keys"] = base
    return expression


def _share_at(base: type[Keyed], number: int) -> Callable[..., Value]:
    def expression(keys: Value) -> Value:
        return keys.share_at(keys.place, number, keys.interest)

    expression.__annotations__["keys"] = base
    return expression


#: What has a second and a third place: name, dimension, base, windows, closed set of words, and the words for it.
_FOLLOWERS: tuple[tuple[str, Dimension, type[Keyed], tuple[int, ...], tuple[str, ...] | None, str, str], ...] = (
    ("category", CATEGORIES, UserCategories, (30, 90), None, "category", "品类"),
    ("brand", BRANDS, UserBrands, (90,), None, "brand", "品牌"),
    ("price_band", PRICES, UserPriceBands, (90,), PRICE_BANDS, "price band", "价格带"),
)
_PLACES = ((2, "Second", "第二"), (3, "Third", "第三"))

for _name, _dimension, _base, _windows, _choices, _en, _zh in _FOLLOWERS:
    for _number, _place, _place_zh in _PLACES:
        _none = f"interest in fewer than {_number}"
        tag(
            f"{_name}_{_number}",
            _dimension,
            word(_none, _choices),
            title=(f"{_place} {_en}", f"兴趣{_place_zh}{_zh}"),
            over=_windows,
            description=f"The {_en} at place {_number} by interest; of equals the first by name.",
        )(_key_at(_base, _number))
        tag(
            f"{_name}_{_number}_share",
            _dimension,
            share(_none),
            title=(f"Share of the {_place.lower()} {_en}", f"兴趣{_place_zh}{_zh}占比"),
            over=_windows,
            description=f"The part of all interest that the {_en} at place {_number} holds.",
        )(_share_at(_base, _number))


@tag(
    "rising_category",
    SHIFTS,
    word("no share grew, or no interest in one of the periods"),
    title=("Rising category", "兴趣上升品类"),
)
def rising_category(categories: ShiftingCategories) -> Value:
    """The category whose share of interest grew most from the 60 days before the last 30 to these.

    Of equals the first by name.
    """
    return categories.top(categories.shift)


@tag(
    "rising_category_gain",
    SHIFTS,
    share("no share grew, or no interest in one of the periods"),
    title=("Gain of the rising category", "上升品类占比增幅"),
)
def rising_category_gain(categories: ShiftingCategories) -> Value:
    """By how much the share of the rising category grew."""
    return categories.shift_share.max(where=categories.shift > 0)


@tag(
    "fading_category",
    SHIFTS,
    word("no share fell, or no interest in one of the periods"),
    title=("Fading category", "兴趣下降品类"),
)
def fading_category(categories: ShiftingCategories) -> Value:
    """The category whose share of interest fell most from the 60 days before the last 30 to these.

    Of equals the first by name.
    """
    return categories.top(-categories.shift)


@tag(
    "fading_category_loss",
    SHIFTS,
    share("no share fell, or no interest in one of the periods"),
    title=("Loss of the fading category", "下降品类占比降幅"),
)
def fading_category_loss(categories: ShiftingCategories) -> Value:
    """By how much the share of the fading category fell."""
    return -categories.shift_share.min(where=categories.shift < 0)
