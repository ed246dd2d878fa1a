"""Admin: things."""

from __future__ import annotations

from velella.http.kit import ABSENT, MANY, TEXT, Answer, Body, Filters, Metadata, Request, Routes, View

from ..workflows import THINGS, create_thing

routes = Routes()

THING = View("thing", "id name product_id sold metadata created_at updated_at *product")


class CreateThing(Body):
    name: str
    product_id: str


class UpdateThing(Body):
    name: str = ABSENT
    metadata: Metadata = None


# GET /admin/things, GET POST DELETE /admin/things/{id}
routes.resource("/admin/things", THING, THINGS, list=Filters(q=TEXT, product_id=MANY), update=UpdateThing)


@routes.post("/admin/things", body=CreateThing, returns=THING)
async def add_thing(request: Request) -> Answer:
    """Create a thing."""
    id = await request.run(create_thing, name=request.body["name"], product_id=request.body["product_id"])
    return await request.fetch(THING, id)
