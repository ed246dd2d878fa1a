// What becomes of orders, through the official SDK: sent, given back, edited, exchanged, claimed and handed over.
import { opened } from "./watched.mjs"

// The areas of the walk for one merchant, on what the walk before has put in the shop. `options`: how buyers open the SDK.
export function changes({ admin }, shop, options) {
  // An order of two of something by somebody without an account.
  async function bought(provider_id = "pp_system_default") {
    const { store } = opened({ ...options, publishableKey: shop.key }).plain
    const address = { first_name: "Bob", last_name: "L", address_1: "Quay 8", city: "Town", postal_code: "1000", country_code: "de" }
    const { cart } = await store.cart.create({
      region_id: shop.region,
      email: "bob@example.com",
      shipping_address: address,
      billing_address: address,
      items: [{ variant_id: shop.variants[1], quantity: 2 }],
    })
    await store.cart.addShippingMethod(cart.id, { option_id: shop.flat })
    await store.payment.initiatePaymentSession(cart, { provider_id })
    const { order } = await store.cart.complete(cart.id)
    return { id: order.id, line: order.items[0].id }
  }

  const of = (order, quantity) => ({ items: [{ id: order.line, quantity }] })

  // The latest action of a preview, of its items or its ways of shipping.
  function latest(preview, kind = "items") {
    const actions = preview[kind].flatMap((row) => row.actions ?? [])
    return actions.reduce((one, other) => (other.ordering > one.ordering ? other : one)).id
  }

  async function box(order, quantity) {
    const before = new Set(order.boxes)
    const { order: shown } = await admin.order.createFulfillment(order.id, of(order, quantity), { fields: "*fulfillments" })
    order.boxes = shown.fulfillments.map((one) => one.id)
    return order.boxes.find((id) => !before.has(id))
  }

  async function sending() {
    const order = await bought()
    const [first, second] = [await box(order, 1), await box(order, 1)]
    const labels = [{ tracking_number: "1", tracking_url: "https://t.example", label_url: "https://l.example" }]
    await admin.order.createShipment(order.id, first, { ...of(order, 1), labels })
    await admin.order.markAsDelivered(order.id, first)
    await admin.order.cancelFulfillment(order.id, second, {})
    await admin.order.complete(order.id, {})
    await admin.order.archive(order.id)
    await admin.order.listShippingOptions(order.id)
    await admin.order.cancel((await bought()).id)
    const body = {
      location_id: shop.location,
      provider_id: "manual_manual",
      delivery_address: {},
      items: [{ title: "Gift", sku: "", barcode: "", quantity: 1 }],
      labels: [],
      data: {},
      order_id: order.id,
      metadata: null,
    }
    await admin.fulfillment.cancel((await admin.fulfillment.create(body)).fulfillment.id)
    await admin.fulfillment.createShipment((await admin.fulfillment.create(body)).fulfillment.id, { labels: [] })
  }

  async function paying() {
    const { id } = await bought("pp_packet_p")
    const { order } = await admin.order.retrieve(id, { fields: "*payment_collections.payment_sessions" })
    const [session] = order.payment_collections[0].payment_sessions
    await admin.order.authorizePaymentSession(id, session.id)
  }

  async function returning() {
    const order = await bought()
    await box(order, 2)
    const begin = async () => (await admin.return.initiateRequest({ order_id: order.id })).return.id
    await admin.return.cancelRequest(await begin())
    const id = await begin()
    await admin.return.retrieve(id)
    await admin.return.updateRequest(id, { metadata: { a: 1 } })
    let { order_preview: preview } = await admin.return.addReturnItem(id, of(order, 1))
    await admin.return.updateReturnItem(id, latest(preview), { quantity: 2 })
    await admin.return.removeReturnItem(id, latest(preview))
    await admin.return.addReturnItem(id, of(order, 1))
    ;({ order_preview: preview } = await admin.return.addReturnShipping(id, { shipping_option_id: shop.flat }))
    await admin.return.updateReturnShipping(id, latest(preview, "shipping_methods"), { custom_amount: 1 })
    await admin.return.deleteReturnShipping(id, latest(preview, "shipping_methods"))
    await admin.return.confirmRequest(id, {})
    await admin.return.initiateReceive(id, {})
    await admin.return.cancelReceive(id)
    await admin.return.initiateReceive(id, {})
    ;({ order_preview: preview } = await admin.return.dismissItems(id, of(order, 1)))
    await admin.return.updateDismissItem(id, latest(preview), { quantity: 1 })
    await admin.return.removeDismissItem(id, latest(preview))
    ;({ order_preview: preview } = await admin.return.receiveItems(id, of(order, 1)))
    await admin.return.updateReceiveItem(id, latest(preview), { quantity: 1 })
    await admin.return.removeReceiveItem(id, latest(preview))
    await admin.return.receiveItems(id, of(order, 1))
    await admin.return.confirmReceive(id, {})
    const other = await begin()
    await admin.return.addReturnItem(other, of(order, 1))
    await admin.return.confirmRequest(other, {})
    await admin.return.cancel(other)
    await admin.return.list({ order_id: order.id })
  }

  async function editing() {
    const order = await bought()
    await admin.orderEdit.initiateRequest({ order_id: order.id })
    await admin.orderEdit.cancelRequest(order.id)
    await admin.orderEdit.initiateRequest({ order_id: order.id, description: "more" })
    const added = { items: [{ variant_id: shop.variants[0], quantity: 1 }] }
    const { order_preview: preview } = await admin.orderEdit.addItems(order.id, added)
    await admin.order.updateOrderChange(preview.order_change.id, { internal_note: "by phone" })
    await admin.orderEdit.updateAddedItem(order.id, latest(preview), { quantity: 2 })
    await admin.orderEdit.removeAddedItem(order.id, latest(preview))
    await admin.orderEdit.updateOriginalItem(order.id, order.line, { quantity: 3 })
    await admin.orderEdit.request(order.id)
    await admin.orderEdit.confirm(order.id)
    await admin.order.createCreditLine(order.id, { amount: 1, reference: "goodwill", reference_id: "1" })
  }

  // One kind of change that takes things back and sends others, as far as it can be called off.
  async function swapped(resource, key, begin, more = async () => {}) {
    const order = await bought()
    await box(order, 2)
    const opening = async () => (await resource.create({ order_id: order.id, ...begin }))[key].id
    await resource.cancelRequest(await opening())
    const id = await opening()
    await more(id, order)
    let { order_preview: preview } = await resource.addInboundItems(id, of(order, 1))
    await resource.updateInboundItem(id, latest(preview), { quantity: 2 })
    await resource.removeInboundItem(id, latest(preview))
    await resource.addInboundItems(id, of(order, 1))
    const sent = { items: [{ variant_id: shop.variants[0], quantity: 1 }] }
    ;({ order_preview: preview } = await resource.addOutboundItems(id, sent))
    await resource.updateOutboundItem(id, latest(preview), { quantity: 2 })
    await resource.removeOutboundItem(id, latest(preview))
    await resource.addOutboundItems(id, sent)
    const way = { shipping_option_id: shop.flat }
    ;({ order_preview: preview } = await resource.addInboundShipping(id, way))
    await resource.updateInboundShipping(id, latest(preview, "shipping_methods"), { custom_amount: 1 })
    await resource.deleteInboundShipping(id, latest(preview, "shipping_methods"))
    ;({ order_preview: preview } = await resource.addOutboundShipping(id, way))
    await resource.updateOutboundShipping(id, latest(preview, "shipping_methods"), { custom_amount: 1 })
    await resource.deleteOutboundShipping(id, latest(preview, "shipping_methods"))
    await resource.request(id, {})
    await resource.retrieve(id)
    await resource.list({ order_id: order.id })
    await resource.cancel(id)
  }

  const exchanging = () => swapped(admin.exchange, "exchange", {})

  async function claiming() {
    await swapped(admin.claim, "claim", { type: "replace" }, async (id, order) => {
      const { order_preview: preview } = await admin.claim.addItems(id, of(order, 1))
      await admin.claim.updateItem(id, latest(preview), { quantity: 2 })
      await admin.claim.removeItem(id, latest(preview))
      await admin.claim.addItems(id, of(order, 1))
    })
  }

  async function handingOver() {
    const { id } = await bought()
    const { store } = shop.ada
    const token = async () => {
      const { order_changes: changes } = await admin.order.listChanges(id)
      return changes.find((one) => one.status === "requested").actions[0].details.token
    }
    await store.order.requestTransfer(id, {})
    await store.order.cancelTransfer(id)
    const { customer } = await store.customer.retrieve()
    await admin.order.requestTransfer(id, { customer_id: customer.id })
    await admin.order.cancelTransfer(id)
    await store.order.requestTransfer(id, {})
    await store.order.declineTransfer(id, { token: await token() })
    await store.order.requestTransfer(id, {})
    await store.order.acceptTransfer(id, { token: await token() })
    await admin.order.transferToGuest(id, { email: "zed@example.com" })
  }

  async function drafting() {
    const drafts = admin.draftOrder
    const byHand = { title: "Engraving", quantity: 1, unit_price: 8 }
    const body = { email: "carol@example.com", region_id: shop.region, sales_channel_id: shop.channel, items: [byHand] }
    const { draft_order: draft } = await drafts.create(body)
    const id = draft.id
    await drafts.list()
    await drafts.retrieve(id)
    await drafts.update(id, { email: "dave@example.com" })
    await drafts.beginEdit(id)
    await drafts.cancelEdit(id)
    await drafts.beginEdit(id)
    let { draft_order_preview: preview } = await drafts.addItems(id, { items: [byHand] })
    await drafts.updateActionItem(id, latest(preview), { quantity: 2 })
    await drafts.removeActionItem(id, latest(preview))
    await drafts.updateItem(id, draft.items[0].id, { quantity: 3 })
    const way = { shipping_option_id: shop.flat }
    ;({ draft_order_preview: preview } = await drafts.addShippingMethod(id, way))
    await drafts.updateActionShippingMethod(id, latest(preview, "shipping_methods"), { ...way, custom_amount: 1 })
    await drafts.removeActionShippingMethod(id, latest(preview, "shipping_methods"))
    ;({ draft_order_preview: preview } = await drafts.addShippingMethod(id, way))
    const method = preview.shipping_methods[0].id
    const { promotions } = await admin.promotion.list({ limit: 1 })
    const codes = { promo_codes: promotions.map((one) => one.code) }
    await drafts.addPromotions(id, codes)
    await drafts.removePromotions(id, codes)
    await drafts.requestEdit(id)
    await drafts.confirmEdit(id)
    await drafts.beginEdit(id)
    await drafts.updateShippingMethod(id, method, { custom_amount: 2 })
    await drafts.removeShippingMethod(id, method)
    await drafts.confirmEdit(id)
    await drafts.convertToOrder(id)
    await drafts.delete((await drafts.create(body)).draft_order.id)
  }

  return [sending, paying, returning, editing, exchanging, claiming, handingOver, drafting]
}
