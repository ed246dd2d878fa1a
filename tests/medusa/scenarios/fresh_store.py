"""What a store has before its merchant has done anything."""

from __future__ import annotations

from ..ground import Api


async def run(api: Api) -> None:
    await api.admin("GET", "/stores?fields=name,metadata,*supported_currencies,default_region_id,default_location_id")
    await api.admin("GET", "/sales-channels?name=Default Sales Channel&fields=name,description,is_disabled")
    await api.admin("GET", "/api-keys?title=Default Publishable API Key&fields=title,type,revoked_at")
    await api.admin("GET", "/currencies?limit=200&order=code")
    await api.admin("GET", "/currencies?q=krone&order=code&fields=code,name")
    await api.store("GET", "/currencies/chf")
    await api.admin("GET", "/price-preferences?attribute=currency_code&fields=attribute,value,is_tax_inclusive")
    await api.admin("GET", "/refund-reasons?order=label&fields=label,code")
    await api.admin("GET", "/return-reasons?fields=label")
    await api.admin("GET", "/shipping-profiles?type=default&fields=name,type,metadata")
    await api.admin("GET", "/payments/payment-providers")
    await api.admin("GET", "/fulfillment-providers")
    await api.admin("GET", "/fulfillment-providers/manual_manual/options")
    await api.admin("GET", "/tax-providers")
    await api.admin("GET", "/regions?fields=name")
    await api.store("GET", "/regions")
    await api.store("GET", "/payment-providers?region_id=reg_none")
