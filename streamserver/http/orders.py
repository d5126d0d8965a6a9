"""Bag, checkout and orders, for buyers and sellers."""

from streamserver.http.api import Answer, Call, Routes
from streamserver.kit.errors import Forbidden, NotFound
from streamserver.messages.orders import Bag, LostHolds, NewOrder, Order, OrderList, Pay, Refund, Shipment
from streamserver.orders.errors import MixedBag, OrderChanged, WrongState
from streamserver.orders.service import OrderService
from streamserver.stock.errors import HoldGone, KeyReused

LINK_KEY = {"key": "The key in the order's link, for whoever is not signed in as its buyer."}


def order_routes(orders: OrderService) -> Routes:
    api = Routes("orders")
    _add_buying(api, orders)
    _add_selling(api, orders)
    return api


def _add_buying(api: Routes, orders: OrderService) -> None:
    @api.get("/bag", answer=Bag)
    async def bag(call: Call) -> Bag:
        """What you have set aside, by shop."""
        return await orders.bag(call.identity)

    @api.post("/bag", body=LostHolds, answer=Bag, scope="buy", large=True)
    async def restore(call: Call, body: LostHolds) -> Bag:
        """Show your bag, with units taken again for holds that the server has lost, as far as there are any."""
        return await orders.restore(call.identity, body.tokens)

    @api.post(
        "/orders",
        body=NewOrder,
        answer=Order,
        status=201,
        scope="buy",
        large=True,
        failures=(HoldGone, MixedBag, KeyReused, WrongState),
    )
    async def place(call: Call, body: NewOrder) -> Answer:
        """Check out holds of one shop. The same key answers the same order, then with status 200."""
        placed = await orders.place(call.identity, body)
        return Answer(placed.order, 200 if placed.replayed else 201)

    @api.get("/orders", answer=OrderList)
    async def mine(call: Call) -> OrderList:
        """Your orders, newest first."""
        return OrderList(orders=await orders.orders(call.identity))

    @api.get("/orders/{order}", answer=Order, query=LINK_KEY, failures=(NotFound,))
    async def order(call: Call) -> Order:
        """One order, for its buyer, its seller, or whoever has its link."""
        return await orders.order(call.identity, call.path["order"], call.query.get("key", ""))

    @api.post(
        "/orders/{order}/pay",
        body=Pay,
        answer=Order,
        scope="buy",
        query=LINK_KEY,
        failures=(OrderChanged, WrongState, NotFound),
    )
    async def pay(call: Call, body: Pay) -> Order:
        """Open a payment of the order as you saw it. Nothing is charged when it has changed since."""
        return await orders.pay(call.identity, call.path["order"], body.revision, call.query.get("key", ""))

    @api.post(
        "/orders/{order}/cancel", answer=Order, scope=None, query=LINK_KEY, failures=(WrongState, Forbidden, NotFound)
    )
    async def cancel(call: Call) -> Order:
        """Cancel an order: the buyer until it is paid, the seller until it is shipped."""
        return await orders.cancel(call.identity, call.path["order"], call.query.get("key", ""))

    _ = bag, restore, place, mine, order, pay, cancel


def _add_selling(api: Routes, orders: OrderService) -> None:
    @api.get("/shops/{shop}/orders", answer=OrderList, scope="shops", failures=(Forbidden, NotFound))
    async def sold(call: Call) -> OrderList:
        """A shop's orders, newest first, for its people."""
        return OrderList(orders=await orders.shop_orders(call.identity, call.path["shop"]))

    @api.post("/orders/{order}/ship", body=Shipment, answer=Order, scope="shops", failures=(WrongState, NotFound))
    async def ship(call: Call, body: Shipment) -> Order:
        """Mark a paid order as shipped."""
        return await orders.ship(call.identity, call.path["order"], body.tracking)

    @api.post("/orders/{order}/deliver", answer=Order, scope="shops", failures=(WrongState, NotFound))
    async def deliver(call: Call) -> Order:
        """Mark a shipped order as delivered."""
        return await orders.deliver(call.identity, call.path["order"])

    @api.post("/orders/{order}/refund", body=Refund, answer=Order, scope="shops", failures=(WrongState, NotFound))
    async def refund(call: Call, body: Refund) -> Order:
        """Send the money back in full; units go back on sale only if you say so."""
        return await orders.refund(call.identity, call.path["order"], body)

    _ = sold, ship, deliver, refund
