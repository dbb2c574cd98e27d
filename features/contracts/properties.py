"""Keys of an event's ``properties`` that Mallard reads. Others are kept as they come and not looked at."""

from typing import Final

DWELL_SECONDS: Final = "dwell_seconds"  # dwell: seconds on the page, a number
RATING: Final = "rating"  # review: 1 (bad) .. 5
DISCOUNT: Final = "discount"  # purchase: what was taken off the line, in its currency, 0 or more
COUPON_ID: Final = "coupon_id"  # coupon_receive, coupon_redeem, purchase: the coupon
PAYMENT: Final = "payment"  # order: PAYMENT_FAILED where the payment did not go through
INVITED: Final = "invited_user_id"  # invite: the user who came
DEVICE: Final = "device_id"  # any: the device; stored as a keyed hash
QUERY: Final = "query"  # search: the words
MESSAGE_ID: Final = "message_id"  # message_sent, message_open
CAMPAIGN: Final = "campaign_id"  # message_sent: the campaign
POSITION: Final = "position"  # impression, click: place in the list, 0 is the first
PROPENSITY: Final = "propensity"  # impression, message_sent: probability with which it was chosen, 0 < p <= 1

PAYMENT_FAILED: Final = "failed"
