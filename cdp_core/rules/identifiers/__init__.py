"""The built-in kinds of identifier. A further kind is a module with its rule and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.model.identifiers import IdentifierKind
from cdp_core.rules.identifiers import email, mobile_ad_id, phone

EMAIL = IdentifierKind(
    key="EMAIL",
    label="E-mail",
    rule=email.email,
    placeholders=email.PLACEHOLDER_DIGESTS,
)
PHONE = IdentifierKind(
    key="PHONE",
    label="Phone",
    rule=phone.phone,
    regional=True,
    placeholders=phone.PLACEHOLDER_DIGESTS,
)
MOBILE_AD_ID = IdentifierKind(
    key="MOBILE_AD_ID",
    label="Mobile ad id",
    rule=mobile_ad_id.mobile_ad_id,
    placeholders=mobile_ad_id.PLACEHOLDER_DIGESTS,
)

BUILT_IN_KINDS: Mapping[str, IdentifierKind] = {kind.key: kind for kind in (EMAIL, PHONE, MOBILE_AD_ID)}
