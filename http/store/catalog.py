"""Store: regions and currencies, and groups of products."""

from __future__ import annotations

from ..kit.cached import Cached
from ..kit.filters import BOOLEAN, MANY, OPERATORS, STAMPS, TEXT, Filters
from ..kit.reply import Answer
from ..kit.request import Request
from ..kit.routes import Routes
from ..kit.view import View, words
from .category_trees import TREE, TREES, category_list, one_category
from .views import PRODUCT_ALLOWED, for_sale, items_without_sums, under

routes = Routes()


REGION = View(
    "region",
    "id name currency_code created_at updated_at deleted_at metadata *countries",
    allowed=(
        *words("id name currency_code created_at updated_at deleted_at metadata countries payment_providers"),
        *under("countries", "id iso_2 iso_3 num_code name display_name"),
        *under("payment_providers", "id is_enabled"),
    ),
)
CURRENCY = View(
    "currency",
    "code name symbol symbol_native decimal_digits rounding",
    allowed="code name symbol symbol_native decimal_digits rounding created_at updated_at deleted_at",
    plural="currencies",
)
COLLECTION = View(
    "product_collection",
    "id title handle external_id created_at updated_at",
    allowed=(
        *words("id title handle external_id created_at updated_at products metadata deleted_at"),
        *under("products", " ".join(PRODUCT_ALLOWED)),
    ),
    stars=items_without_sums("products."),
    limit=10,
    order="-created_at",
    visible=for_sale,
    key="collection",
)
LABEL_ALLOWED = (*words("id value external_id created_at updated_at metadata products"), *under("products", " ".join(PRODUCT_ALLOWED)))
LABEL_STARS = items_without_sums("products.")
_LABEL = "id value external_id created_at updated_at metadata *products"
TAG = View("product_tag", _LABEL, allowed=LABEL_ALLOWED, stars=LABEL_STARS, visible=for_sale)
TYPE = View("product_type", _LABEL, allowed=LABEL_ALLOWED, stars=LABEL_STARS, visible=for_sale)
OPTION = View(
    "product_option",
    "id title is_exclusive *values created_at updated_at metadata",
    allowed="id title is_exclusive values created_at updated_at metadata values.id values.value",
    visible=for_sale,
)


def _family(generations: int) -> tuple[str, ...]:
    """Every path of parents and children up to this many generations, with the columns that may be seen."""
    columns = words("id name description handle rank external_id parent_category_id created_at updated_at deleted_at")
    paths: list[str] = [""]
    found: list[str] = []
    for _ in range(generations):
        paths = [f"{path}{step}." for path in paths for step in ("parent_category", "category_children")]
        found += [f"{path}{column}" for path in paths for column in ("", *columns)]
    return tuple(path.removesuffix(".") for path in found)


CATEGORY = View(
    "product_category",
    "id name description handle rank external_id parent_category_id created_at updated_at metadata *parent_category *category_children",
    allowed=(
        *words("id name description handle rank external_id parent_category_id created_at updated_at deleted_at metadata"),
        *words("products products.title products.variants products.options products.images category_children.products.title"),
        *_family(3),
    ),
    visible=for_sale,
    plural="product_categories",
)

routes.resource("/store/regions", REGION, list=Filters(q=TEXT, id=MANY, currency_code=MANY, name=MANY, logical=True))
routes.resource("/store/currencies", CURRENCY, list=Filters(q=TEXT, code=MANY, logical=True), param="code", by="code")
routes.resource(
    "/store/collections",
    COLLECTION,
    list=Filters(q=TEXT, id=MANY, title=MANY, handle=MANY, external_id=MANY, created_at=OPERATORS, updated_at=OPERATORS, logical=True),
)
LABELS = Filters(q=TEXT, id=MANY, value=MANY, external_id=MANY, logical=True, **STAMPS)
routes.resource("/store/product-tags", TAG, list=LABELS)
routes.resource(
    "/store/product-options",
    OPTION,
    list=Filters(q=TEXT, id=MANY, title=MANY, is_exclusive=BOOLEAN, logical=True, **STAMPS),
)
routes.resource("/store/product-types", TYPE, list=LABELS, get=False)


@routes.get("/store/product-types/{id}", query=LABELS.ignoring(), returns=TYPE, cached=Cached())
async def get_type(request: Request) -> Answer:
    """Get a product type."""
    return await request.fetch(TYPE, request.params["id"])


@routes.get(
    "/store/product-categories",
    query=Filters(
        q=TEXT, id=MANY, name=MANY, description=MANY, handle=MANY, parent_category_id=MANY, external_id=MANY, logical=True,
        **STAMPS, **TREE,
    ),
    returns=CATEGORY,
    many=True,
    cached=Cached(),
)  # fmt: skip
async def list_categories(request: Request) -> Answer:
    """List active categories, as trees if asked for."""
    return await category_list(request, CATEGORY, **for_sale(request)["product_category"])


@routes.get("/store/product-categories/{id}", query=TREES, returns=CATEGORY, cached=Cached())
async def get_category(request: Request) -> Answer:
    """Get an active category, as a tree if asked for."""
    return await one_category(request, CATEGORY, request.params["id"], **for_sale(request)["product_category"])
