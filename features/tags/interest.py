"""Interest: the categories, brands and items that hold a user's attention, and how strongly."""

from features.tags.spec import Family, Value, counts, real, share, tag, word
from features.tags.spec.bases import UserBrands, UserCategories, UserDepartments, UserItems

FAMILY = Family("interest", "兴趣", "What holds the user's attention: a view counts 1, a wish 3, a bought line 5.")
WINDOWS = (30, 90, None)


@tag(
    "top_category",
    FAMILY,
    word("no interest in a known category"),
    title=("Top category", "最感兴趣品类"),
    over=WINDOWS,
)
def top_category(categories: UserCategories) -> Value:
    """The category path of the greatest interest."""
    return categories.top(categories.interest)


@tag(
    "top_category_share",
    FAMILY,
    share("no interest in a known category"),
    title=("Share of the top category", "首位品类占比"),
    over=WINDOWS,
)
def top_category_share(categories: UserCategories) -> Value:
    """The part of all interest in known categories that the top one holds."""
    return categories.top_share(categories.interest)


@tag(
    "interest_categories", FAMILY, counts("categories"), title=("Categories of interest", "感兴趣品类数"), over=WINDOWS
)
def interest_categories(categories: UserCategories) -> Value:
    """Different categories viewed, wished for or bought."""
    return categories.distinct(categories.interest)


@tag(
    "interest_entropy",
    FAMILY,
    real("nats", "no interest in a known category"),
    title=("Spread of interest", "兴趣分散度"),
    over=WINDOWS,
)
def interest_entropy(categories: UserCategories) -> Value:
    """Shannon entropy of interest over categories: 0 when all is in one."""
    return categories.entropy(categories.interest)


@tag(
    "top_department",
    FAMILY,
    word("no interest in a known category"),
    title=("Top department", "最感兴趣一级品类"),
    over=WINDOWS,
)
def top_department(departments: UserDepartments) -> Value:
    """The first level of the category path with the greatest interest."""
    return departments.top(departments.interest)


@tag("top_brand", FAMILY, word("no interest in a known brand"), title=("Top brand", "最感兴趣品牌"), over=WINDOWS)
def top_brand(brands: UserBrands) -> Value:
    """The brand of the greatest interest."""
    return brands.top(brands.interest)


@tag(
    "top_brand_share",
    FAMILY,
    share("no interest in a known brand"),
    title=("Share of the top brand", "首位品牌占比"),
    over=WINDOWS,
)
def top_brand_share(brands: UserBrands) -> Value:
    """Brand loyalty: the part of all interest in known brands that the top one holds."""
    return brands.top_share(brands.interest)


@tag("top_item", FAMILY, word("no interest in an item"), title=("Top item", "最感兴趣商品"), over=(30, None))
def top_item(items: UserItems) -> Value:
    """The id of the item with the greatest interest."""
    return items.top(items.interest)
