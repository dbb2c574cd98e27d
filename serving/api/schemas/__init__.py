"""Request and answer bodies, as the OpenAPI document shows them."""
