"""Column names of events, items and users. Code uses these constants, never the literals."""

from typing import Final

# --- events -----------------------------------------------------------------------------------------
EVENT_ID: Final = "event_id"
EVENT_TYPE: Final = "event_type"
USER_ID: Final = "user_id"
ANONYMOUS_ID: Final = "anonymous_id"
ITEM_ID: Final = "item_id"
OCCURRED_AT: Final = "occurred_at"
RECEIVED_AT: Final = "received_at"
SESSION_ID: Final = "session_id"
CHANNEL: Final = "channel"
PLACEMENT: Final = "placement"
REQUEST_ID: Final = "request_id"
ORDER_ID: Final = "order_id"
QUANTITY: Final = "quantity"
AMOUNT: Final = "amount"
CURRENCY: Final = "currency"
PROPERTIES: Final = "properties"

# --- items ------------------------------------------------------------------------------------------
TITLE: Final = "title"
CATEGORY: Final = "category"
BRAND: Final = "brand"
SHOP: Final = "shop"
PRICE: Final = "price"
STOCK: Final = "stock"
STATUS: Final = "status"
PUBLISHED_AT: Final = "published_at"
ATTRIBUTES: Final = "attributes"

# --- users ------------------------------------------------------------------------------------------
IDENTITIES: Final = "identities"
DEMOGRAPHICS: Final = "demographics"
REGISTERED_AT: Final = "registered_at"
SOURCE_CHANNEL: Final = "source_channel"
MEMBER_LEVEL: Final = "member_level"
CONSENT_PERSONALIZATION: Final = "consent_personalization"
CONSENT_MARKETING: Final = "consent_marketing"
ERASED_AT: Final = "erased_at"
