// A whole shop through the official SDK: every method whose route is served is called, on what earlier answers have shown.
// Reads {base, email, password, served, unserved} from its argument: a merchant, and names of methods. Prints what was called as JSON.
import { createHmac } from "node:crypto"
import { changes } from "./changes.mjs"
import { calls, methods, opened, walk } from "./watched.mjs"

const input = JSON.parse(process.argv[2])
const jwt = { baseUrl: input.base, auth: { type: "jwt", jwtTokenStorageMethod: "memory" } }
const serves = (method) => input.served.includes(method)

const merchant = opened(jwt)
const { admin } = merchant
const shop = {}
const password = "correct horse battery"
const address = { first_name: "Ada", last_name: "L", address_1: "Quay 7", city: "Town", postal_code: "1000", country_code: "de" }

// Make one, change it, find it again; returns it as it was made.
async function kept(resource, key, body, change) {
  const made = (await resource.create(body))[key]
  await resource.update(made.id, change)
  await resource.retrieve(made.id)
  await resource.list()
  return made
}

// -- the merchant's part

async function markets() {
  await merchant.auth.login("user", "emailpass", { email: input.email, password: input.password })
  const [store] = (await admin.store.list()).stores
  await admin.store.retrieve(store.id)
  const currencies = [{ currency_code: "eur", is_default: true }, { currency_code: "usd" }]
  await admin.store.update(store.id, { name: "Sails", supported_currencies: currencies })
  await admin.currency.list()
  await admin.currency.retrieve("eur")

  const region = { name: "Europe", currency_code: "eur", countries: ["de", "fr"], payment_providers: ["pp_system_default", "pp_packet_p"] }
  shop.region = (await kept(admin.region, "region", region, { name: "The continent" })).id
  const preference = { attribute: "currency_code", value: "jpy", is_tax_inclusive: true }
  shop.preference = (await kept(admin.pricePreference, "price_preference", preference, { is_tax_inclusive: false })).id
  shop.channel = store.default_sales_channel_id
  shop.fair = (await kept(admin.salesChannel, "sales_channel", { name: "Fair" }, { description: "Once a year" })).id

  shop.key = (await admin.apiKey.list({ type: "publishable" })).api_keys[0].token
  const key = (await kept(admin.apiKey, "api_key", { title: "Kiosk", type: "publishable" }, { title: "Stall" })).id
  await admin.apiKey.batchSalesChannels(key, { add: [shop.fair] })
  await admin.apiKey.revoke(key)
  await admin.apiKey.delete(key)
}

async function users() {
  await admin.user.me()
  const invited = (await admin.invite.create({ email: "grace@example.com" })).invite.id
  await admin.invite.list()
  await admin.invite.retrieve(invited)
  const { token } = (await admin.invite.resend(invited)).invite
  const grace = opened(jwt)
  await grace.auth.register("user", "emailpass", { email: "grace@example.com", password })
  const { user } = await grace.admin.invite.accept({ invite_token: token, first_name: "Grace", last_name: "H" })
  await grace.auth.login("user", "emailpass", { email: "grace@example.com", password })
  await admin.user.list()
  await admin.user.retrieve(user.id)
  await admin.user.update(user.id, { last_name: "Hopper" })
  await admin.user.delete(user.id)
  const spare = (await admin.invite.create({ email: "spare@example.com" })).invite.id
  await admin.invite.delete(spare)

  let notifications = []
  while (!notifications.length) ({ notifications } = await admin.notification.list())
  await admin.notification.retrieve(notifications[0].id)
}

async function files() {
  const picture = new File(["\x89PNG"], "sail.png", { type: "image/png" })
  const { files } = await admin.upload.create({ files: [picture, { name: "sail.txt", content: "Made of linen" }] })
  await admin.upload.retrieve(files[1].id)
  for (const file of files) await admin.upload.delete(file.id)
  await admin.upload.presignedUrl({ originalname: "products.csv", mime_type: "text/csv", size: 10 })
}

async function catalogue() {
  shop.collection = (await kept(admin.productCollection, "collection", { title: "Summer" }, { title: "Winter" })).id
  const shirts = { name: "Shirts", is_active: true }
  shop.category = (await kept(admin.productCategory, "product_category", shirts, { description: "With sleeves" })).id
  shop.type = (await kept(admin.productType, "product_type", { value: "Shirt" }, { value: "Shirts" })).id
  shop.tag = (await kept(admin.productTag, "product_tag", { value: "new" }, { value: "old" })).id
  const fabric = { title: "Fabric", values: ["Wool", "Linen", "Felt"] }
  const option = await kept(admin.productOption, "product_option", fabric, { title: "Cloth" })
  shop.option = option.id
  const { product_option_values: values } = await admin.productOption.listValues(option.id)
  const felt = values.find((value) => value.value === "Felt").id
  await admin.productOption.retrieveValue(option.id, felt)
  await admin.productOption.updateValue(option.id, felt, { value: "Tweed" })
  await admin.productOption.deleteValue(option.id, felt)
}

const variant = (size, more = {}) => ({
  title: size,
  sku: `shirt-${size}`,
  options: { Size: size },
  prices: [{ currency_code: "eur", amount: 19.95 }, { currency_code: "usd", amount: 22 }],
  ...more,
})

async function sheets() {
  await admin.product.export({}, {})
  await admin.order.export({})
  const lines = "Product Handle,Product Title,Variant Title,Variant Option 1 Name,Variant Option 1 Value\nbuoy,Buoy,One,Size,M\n"
  const file = new File([lines], "buoys.csv", { type: "text/csv" })
  await admin.product.import({ file })
  const { transaction_id: begun } = await admin.product.createImport({ file })
  await admin.product.confirmImport(begun)
}

async function products() {
  const [profile] = (await admin.shippingProfile.list()).shipping_profiles
  shop.profile = profile.id
  const product = await kept(
    admin.product,
    "product",
    {
      title: "Sail Shirt",
      status: "published",
      options: [{ title: "Size", values: ["S", "M", "L", "XL"] }],
      variants: [variant("S"), variant("M")],
      images: [{ url: "https://shop.example/1.png" }],
      type_id: shop.type,
      collection_id: shop.collection,
      tags: [{ id: shop.tag }],
      categories: [{ id: shop.category }],
      sales_channels: [{ id: shop.channel }],
      shipping_profile_id: shop.profile,
    },
    { subtitle: "Heavy cotton" },
  )
  shop.product = product.id
  shop.variants = product.variants.map((one) => one.id)
  const [first] = shop.variants
  const [image] = product.images
  await admin.product.listOptions(product.id)
  await admin.product.linkOptions(product.id, { add: [shop.option] })
  await admin.product.linkOptions(product.id, { remove: [shop.option] })

  await admin.product.createVariant(product.id, variant("L"))
  const { variants } = await admin.product.listVariants(product.id)
  const large = variants.find((one) => one.title === "L").id
  await admin.product.updateVariant(product.id, large, { barcode: "4711" })
  await admin.product.retrieveVariant(product.id, large)
  await admin.product.deleteVariant(product.id, large)
  await admin.product.batchVariants(product.id, { create: [variant("XL")], update: [{ id: first, material: "Cotton" }] })
  await admin.productVariant.list()
  await admin.product.batchVariantImages(product.id, first, { add: [image.id] })
  await admin.product.batchImageVariants(product.id, image.id, { remove: [first] })

  const mug = { title: "Mug", options: [{ title: "Edition", values: ["One"] }] }
  await sheets()
  const { created } = await admin.product.batch({ create: [mug], update: [{ id: product.id, weight: 400 }] })
  const change = { add: [created[0].id] }
  await admin.productCollection.updateProducts(shop.collection, change)
  await admin.productCategory.updateProducts(shop.category, change)
  await admin.salesChannel.updateProducts(shop.fair, change)
  await admin.salesChannel.batchProducts(shop.fair, { remove: change.add })
  await admin.product.delete(created[0].id)
}

async function priceLists() {
  const [first, second] = shop.variants
  const prices = [first, second].map((variant_id) => ({ variant_id, currency_code: "eur", amount: 17, rules: { region_id: shop.region } }))
  const body = { title: "Clearance", description: "Until it is gone", prices }
  const list = (await kept(admin.priceList, "price_list", body, { status: "active" })).id
  const { prices: there } = await admin.priceList.prices(list)
  await admin.priceList.batchPrices(list, {
    create: [{ variant_id: first, currency_code: "usd", amount: 16 }],
    update: [{ id: there[0].id, variant_id: there[0].price_set.variant.id, amount: 15 }],
    delete: [there[1].id],
  })
  await admin.priceList.linkProducts(list, { remove: [shop.product] })
  await admin.priceList.delete(list)
}

async function promotions() {
  const budget = { type: "spend", currency_code: "eur", limit: 100 }
  const campaign = (await kept(admin.campaign, "campaign", { name: "Sale", campaign_identifier: "sale", budget }, { name: "Sales" })).id
  const method = { type: "percentage", value: 10, target_type: "items", allocation: "across" }
  const body = { code: "TENTH", type: "standard", application_method: method }
  const promotion = (await kept(admin.promotion, "promotion", body, { status: "active" })).id
  await admin.campaign.batchPromotions(campaign, { add: [promotion] })
  await admin.campaign.batchPromotions(campaign, { remove: [promotion] })
  const rule = { attribute: "region_id", operator: "in", values: [shop.region] }
  const [added] = (await admin.promotion.addRules(promotion, "rules", { rules: [rule] })).created
  await admin.promotion.updateRules(promotion, "rules", { rules: [{ id: added.id, operator: "eq", values: shop.region }] })
  await admin.promotion.listRules(promotion, "rules")
  await admin.promotion.removeRules(promotion, "rules", { rule_ids: [added.id] })
  await admin.promotion.listRuleAttributes("rules", "standard", "items")
  await admin.promotion.listRuleValues("rules", "region")
  Object.assign(shop, { campaign, promotion })
}

async function stock() {
  const place = { name: "Warehouse", address: { address_1: "Quay 7", country_code: "de" } }
  shop.location = (await kept(admin.stockLocation, "stock_location", place, { name: "Quay" })).id
  await admin.stockLocation.updateSalesChannels(shop.location, { add: [shop.channel] })
  await admin.stockLocation.updateFulfillmentProviders(shop.location, { add: ["manual_manual", "scales_s"] })
  const shed = (await admin.stockLocation.create({ name: "Shed" })).stock_location.id

  const button = (await kept(admin.inventoryItem, "inventory_item", { sku: "button" }, { title: "Button" })).id
  await admin.inventoryItem.batchInventoryItemLocationLevels(button, {
    create: [{ location_id: shop.location, stocked_quantity: 7 }, { location_id: shed, stocked_quantity: 0 }],
  })
  await admin.inventoryItem.batchUpdateLevels(button, { update: [{ location_id: shop.location, incoming_quantity: 2 }] })
  await admin.inventoryItem.updateLevel(button, shop.location, { stocked_quantity: 9 })
  await admin.inventoryItem.listLevels(button)
  await admin.inventoryItem.deleteLevel(button, shed)
  const { inventory_items: shirts } = await admin.inventoryItem.list({ q: "shirt" })
  await admin.inventoryItem.batchInventoryItemsLocationLevels({
    create: shirts.map((item) => ({ inventory_item_id: item.id, location_id: shop.location, stocked_quantity: 100 })),
  })
  const tie = { variant_id: shop.variants[0], inventory_item_id: button }
  await admin.product.batchVariantInventoryItems(shop.product, { create: [{ ...tie, required_quantity: 2 }] })
  await admin.product.batchVariantInventoryItems(shop.product, { delete: [tie] })

  const hold = { location_id: shop.location, inventory_item_id: button, quantity: 1 }
  const held = (await kept(admin.reservation, "reservation", hold, { quantity: 2 })).id
  await admin.reservation.delete(held)
  await admin.inventoryItem.delete(button)
  await admin.stockLocation.delete(shed)
}

async function shipping() {
  await admin.fulfillmentProvider.list()
  await admin.fulfillmentProvider.listFulfillmentOptions("manual_manual")
  await admin.stockLocation.createFulfillmentSet(shop.location, { name: "Post", type: "shipping" })
  await admin.stockLocation.createFulfillmentSet(shop.location, { name: "Pick-up", type: "pickup" })
  const { stock_location: location } = await admin.stockLocation.retrieve(shop.location, { fields: "*fulfillment_sets" })
  const [post, pickup] = ["Post", "Pick-up"].map((name) => location.fulfillment_sets.find((set) => set.name === name).id)
  await admin.fulfillmentSet.delete(pickup)
  await admin.fulfillmentSet.createServiceZone(post, { name: "Nowhere" })
  const germany = { name: "Germany", geo_zones: [{ type: "country", country_code: "de" }] }
  const { service_zones: zones } = (await admin.fulfillmentSet.createServiceZone(post, germany)).fulfillment_set
  const [near, nowhere] = ["Germany", "Nowhere"].map((name) => zones.find((zone) => zone.name === name).id)
  await admin.fulfillmentSet.retrieveServiceZone(post, near)
  await admin.fulfillmentSet.updateServiceZone(post, near, { name: "Near" })
  await admin.fulfillmentSet.deleteServiceZone(post, nowhere)

  const profile = (await kept(admin.shippingProfile, "shipping_profile", { name: "Bulky", type: "bulky" }, { name: "Very bulky" })).id
  await admin.shippingProfile.delete(profile)
  const fast = { label: "Fast", code: "fast" }
  const kind = (await kept(admin.shippingOptionType, "shipping_option_type", fast, { description: "By van" })).id
  const body = {
    name: "Standard",
    price_type: "flat",
    provider_id: "manual_manual",
    service_zone_id: near,
    shipping_profile_id: shop.profile,
    type_id: kind,
    prices: [{ currency_code: "eur", amount: 5 }],
    rules: [{ attribute: "enabled_in_store", value: "true", operator: "eq" }],
  }
  shop.flat = (await kept(admin.shippingOption, "shipping_option", body, { name: "Post" })).id
  const weighed = { ...body, name: "By weight", price_type: "calculated", provider_id: "scales_s", prices: [] }
  shop.calculated = (await admin.shippingOption.create(weighed)).shipping_option.id
  await admin.shippingOption.updateRules(shop.flat, { create: [{ attribute: "is_return", value: "false", operator: "eq" }] })
  const spare = (await admin.shippingOption.create({ ...body, name: "Spare" })).shipping_option.id
  await admin.shippingOption.delete(spare)
  const slow = (await admin.shippingOptionType.create({ label: "Slow", code: "slow" })).shipping_option_type.id
  await admin.shippingOptionType.delete(slow)
}

async function taxes() {
  await admin.taxProvider.list()
  const germany = { country_code: "de", provider_id: "tp_system", default_tax_rate: { rate: 19, name: "VAT", code: "vat" } }
  const region = (await kept(admin.taxRegion, "tax_region", germany, { metadata: { a: 1 } })).id
  const low = (await kept(admin.taxRate, "tax_rate", { tax_region_id: region, name: "Low", code: "low", rate: 7 }, { rate: 8 })).id
  await admin.taxRate.delete(low)
  const spare = (await admin.taxRegion.create({ country_code: "us", provider_id: "tp_system" })).tax_region.id
  await admin.taxRegion.delete(spare)
}

async function reasons() {
  const unfit = { value: "size", label: "Doesn't fit" }
  const size = (await kept(admin.returnReason, "return_reason", unfit, { ...unfit, label: "Size" })).id
  await admin.returnReason.delete(size)
  const reason = { label: "Broken", code: "broken" }
  shop.reason = (await kept(admin.refundReason, "refund_reason", reason, { description: "In a storm" })).id
}

async function dashboard() {
  await admin.plugin.list()
  await admin.layouts.setConfiguration("order.list", { configuration: { widgets: { orders: { hidden: true, order: 2 } } } })
  await admin.layouts.retrieveConfiguration("order.list")
  await admin.layouts.listConfigurations()
  await admin.layouts.deleteConfiguration("order.list")
  const label = { entity: "product", property: "material", label: "Cloth" }
  const made = (await kept(admin.propertyLabel, "property_label", label, { description: "What it is made of" })).id
  await admin.propertyLabel.batch({ create: [{ ...label, property: "weight" }], update: [{ id: made, label: "Fabric" }] })
  await admin.propertyLabel.delete(made)
}

async function views() {
  await admin.views.listEntities()
  await admin.views.columns("orders")
  const shown = { visible_columns: ["total"], column_order: ["total"] }
  const view = (await admin.views.createConfiguration("orders", { name: "Mine", configuration: shown })).view_configuration.id
  await admin.views.listConfigurations("orders")
  await admin.views.retrieveConfiguration("orders", view)
  await admin.views.updateConfiguration("orders", view, { name: "Ours" })
  await admin.views.setActiveConfiguration("orders", { view_configuration_id: view })
  await admin.views.deleteConfiguration("orders", view)
  await admin.views.retrieveActiveConfiguration("orders")
}

async function translations() {
  await admin.locale.list()
  await admin.locale.retrieve("de-DE")
  await admin.store.update((await admin.store.list()).stores[0].id, { supported_locales: [{ locale_code: "de-DE" }] })
  const said = { reference: "product", reference_id: shop.product, locale_code: "de-DE", translations: { title: "Segelhemd" } }
  await admin.translation.batch({ create: [said] })
  await admin.translation.list()
  await admin.translation.entities({ type: "product" })
  await admin.translation.statistics({ locales: ["de-DE"], entity_types: ["product"] })
  const { region } = (await admin.translation.settings()).translation_settings
  await admin.translation.batchSettings({ update: [{ id: region.id, is_active: true }] })
}

async function guests() {
  const guest = (await kept(admin.customer, "customer", { email: "guest@example.com" }, { company_name: "Guests" })).id
  await admin.customer.createAddress(guest, address)
  const [home] = (await admin.customer.listAddresses(guest)).addresses
  await admin.customer.retrieveAddress(guest, home.id)
  await admin.customer.updateAddress(guest, home.id, { city: "City" })
  await admin.customer.deleteAddress(guest, home.id)
  const group = (await kept(admin.customerGroup, "customer_group", { name: "Regulars" }, { name: "Friends" })).id
  await admin.customerGroup.batchCustomers(group, { add: [guest] })
  await admin.customer.batchCustomerGroups(guest, { remove: [group] })
  await admin.customerGroup.delete(group)
  await admin.customer.delete(guest)
}

// -- the buyer's part

async function browsing() {
  const { store } = (shop.ada = opened({ ...jwt, publishableKey: shop.key }))
  for (const [resource, id] of [
    [store.region, shop.region],
    [store.collection, shop.collection],
    [store.category, shop.category],
    [store.productOption, shop.option],
    [store.product, shop.product],
  ]) {
    await resource.list()
    await resource.retrieve(id)
  }
  await store.locale.list()
}

async function registering() {
  const { auth, store } = shop.ada
  await auth.register("customer", "emailpass", { email: "ada@example.com", password })
  await store.customer.create({ email: "ada@example.com", first_name: "Ada" })
  await auth.refresh() // the token of before is nobody's yet
  await store.customer.retrieve()
  await store.customer.update({ last_name: "L" })
  const [home] = (await store.customer.createAddress(address)).customer.addresses
  await store.customer.updateAddress(home.id, { city: "City" })
  await store.customer.listAddress()
  await store.customer.retrieveAddress(home.id)
  await store.customer.deleteAddress(home.id)
}

async function buying() {
  const { store } = shop.ada
  const stranger = opened({ ...jwt, publishableKey: shop.key })
  const { cart } = await stranger.store.cart.create({ region_id: shop.region, email: "somebody@example.com" })
  await store.cart.transferCart(cart.id)
  await store.cart.update(cart.id, { shipping_address: address, billing_address: address })
  for (const variant_id of shop.variants) await store.cart.createLineItem(cart.id, { variant_id, quantity: 1 })
  const [first, second] = (await store.cart.retrieve(cart.id)).cart.items
  await store.cart.updateLineItem(cart.id, first.id, { quantity: 2 })
  await store.cart.deleteLineItem(cart.id, second.id)
  await store.fulfillment.listCartOptions({ cart_id: cart.id })
  await store.fulfillment.calculate(shop.calculated, { cart_id: cart.id })
  await store.cart.addShippingMethod(cart.id, { option_id: shop.flat })
  await store.cart.addPromotions(cart.id, { promo_codes: ["TENTH"] })
  await store.cart.removePromotions(cart.id, { promo_codes: ["TENTH"] })
  await store.payment.listPaymentProviders({ region_id: shop.region })
  await store.payment.initiatePaymentSession(cart, { provider_id: "pp_system_default" })
  shop.order = (await store.cart.complete(cart.id)).order.id
  await store.order.list()
  await store.order.retrieve(shop.order)
}

async function orders() {
  await admin.order.list()
  await admin.order.retrieve(shop.order)
  await admin.order.update(shop.order, { email: "ada@example.org" })
  await admin.order.listChanges(shop.order)
  await admin.order.listLineItems(shop.order)
  await admin.order.retrievePreview(shop.order)
  await admin.payment.listPaymentProviders()
  const [payment] = (await admin.payment.list()).payments
  await admin.payment.retrieve(payment.id)
  await admin.payment.capture(payment.id, { amount: 2 })
  await admin.payment.refund(payment.id, { amount: 1.5, refund_reason_id: shop.reason, note: "Sorry" })
  const owed = { order_id: shop.order, amount: 5 }
  const made = []
  for (const _ of "abc") made.push((await admin.paymentCollection.create(owed)).payment_collection.id)
  await admin.paymentCollection.createPaymentSession(made[0], { provider_id: "pp_system_default" })
  await admin.paymentCollection.markAsPaid(made[1], { order_id: shop.order })
  await admin.paymentCollection.delete(made[2])
}

async function signingIn() {
  const { auth } = opened(jwt)
  const begun = await auth.login("customer", "lighthouse", {})
  await auth.callback("customer", "lighthouse", Object.fromEntries(new URL(begun.location).searchParams))

  await auth.resetPassword("user", "emailpass", { identifier: input.email })
  const { user } = await admin.user.me()
  const { token } = await merchant.plain.client.fetch(`/admin/users/${user.id}/reset-password`, { method: "POST" }) // of the email
  await auth.updateProvider("user", "emailpass", { password }, token)
  await merchant.auth.login("user", "emailpass", { email: input.email, password }) // another secret ends what was proven before

  const session = opened({ baseUrl: input.base, auth: { type: "session" } })
  const proof = await session.plain.auth.login("user", "emailpass", { email: input.email, password })
  await session.auth.setToken_(proof)
  await session.auth.logout()
  await secondFactor()
}

async function secondFactor() {
  const ada = opened(jwt)
  const login = { email: "factor@example.com", password }
  await ada.auth.register("user", "emailpass", login)
  const { mfa_factor: factor, secret } = await ada.auth.mfa.start({ provider: "totp", label: login.email })
  await ada.auth.mfa.verify(factor.id, { code: totp(secret) })
  const { recovery_codes: codes } = await ada.auth.mfa.generateRecoveryCodes()
  await ada.auth.mfa.list()
  const asked = await ada.plain.client.fetch("/auth/user/emailpass", { method: "POST", body: login })
  const halfway = { authorization: `Bearer ${asked.token}` }
  await ada.auth.mfa.verifyChallenge(asked.mfa_challenge.id, { method: "recovery_code", code: codes[0] }, halfway)
  await ada.auth.mfa.disable(factor.id)
  await ada.auth.verification.request({ entity_id: login.email, entity_type: "email" })
  let code
  while (!code) code = (await admin.notification.list({ limit: 200 })).notifications.find((note) => note.template === "code")?.data.code
  await ada.auth.verification.confirm({ code })
}

// The code that an authenticator app shows now (RFC 6238).
function totp(secret) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("")
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac("sha1", key).update(step).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0")
}

async function lookingOn() {
  const templates = new Set()
  for (let looks = 0; templates.size < 4 && looks < 300; looks++) {
    const { notifications } = await admin.notification.list({ limit: 200 })
    for (const { template } of notifications) if (/^order-(placed|shipped|returned|refunded)$/.test(template)) templates.add(template)
  }
  if (!serves("admin.workflowExecution.list")) return
  const [execution] = (await admin.workflowExecution.list()).workflow_executions
  await admin.workflowExecution.retrieve(execution.id)
}

async function clearing() {
  for (const [resource, id] of [
    [admin.refundReason, shop.reason],
    [admin.promotion, shop.promotion],
    [admin.campaign, shop.campaign],
    [admin.productOption, shop.option],
    [admin.productTag, shop.tag],
    [admin.productType, shop.type],
    [admin.productCategory, shop.category],
    [admin.productCollection, shop.collection],
    [admin.salesChannel, shop.fair],
    [admin.pricePreference, shop.preference],
    [admin.region, shop.region],
  ]) {
    await resource.delete(id)
  }
}

// What isn't served is asked for too, by who might.
async function refusals() {
  const sdk = { ...merchant, store: shop.ada.store }
  for (const method of input.unserved) {
    const path = method.split(".")
    const name = path.pop()
    const part = path.reduce((at, key) => at[key], sdk)
    await part[name]("none", "none", "none").catch(() => {})
  }
}

const broken = await walk([
  markets, users, files, catalogue, products, priceLists, promotions, stock, shipping, taxes, reasons, dashboard, views, translations, guests,
  browsing, registering, buying, orders, ...changes(merchant, shop, jwt), signingIn, lookingOn, clearing, refusals,
])
console.log(JSON.stringify({ methods: methods(merchant), calls, broken }))
