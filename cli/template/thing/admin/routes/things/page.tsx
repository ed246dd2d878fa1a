// A page of its own, with a line in the menu: /app/things
import { defineRouteConfig } from "@medusajs/admin-sdk"
import { TagSolid } from "@medusajs/icons"
import { Container, Heading, Table } from "@medusajs/ui"
import { useState } from "react"
import { useThings } from "../../lib/things"

const LIMIT = 20

const ThingsPage = () => {
  const [page, setPage] = useState(0)
  const { things, count } = useThings({ limit: LIMIT, offset: page * LIMIT })
  const pages = Math.ceil(count / LIMIT)
  return (
    <Container className="divide-y p-0">
      <Heading level="h2" className="px-6 py-4">
        Things
      </Heading>
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.HeaderCell>Name</Table.HeaderCell>
            <Table.HeaderCell>Sold</Table.HeaderCell>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {things.map((each) => (
            <Table.Row key={each.id}>
              <Table.Cell>{each.name}</Table.Cell>
              <Table.Cell>{each.sold}</Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
      <Table.Pagination
        count={count}
        pageSize={LIMIT}
        pageIndex={page}
        pageCount={pages}
        canPreviousPage={page > 0}
        canNextPage={page + 1 < pages}
        previousPage={() => setPage(page - 1)}
        nextPage={() => setPage(page + 1)}
      />
    </Container>
  )
}

export const config = defineRouteConfig({ label: "Things", icon: TagSolid })

export default ThingsPage
