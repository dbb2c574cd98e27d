"""The calls, one resource per file."""

from serving.api.routes import (
    churn,
    churn_list,
    erasure,
    events,
    health,
    identities,
    items,
    master,
    models,
    recommendations,
    tags,
)

ROUTERS = (
    recommendations.router,
    items.router,
    events.router,
    master.router,
    identities.router,
    erasure.router,
    churn.router,
    churn_list.router,
    tags.router,
    models.router,
    health.router,
)
