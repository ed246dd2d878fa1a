// On the page of a product: its things.
import { defineWidgetConfig } from "@medusajs/admin-sdk"
import { Container, Heading, Text } from "@medusajs/ui"
import { useThings } from "../lib/things"

const ProductThings = ({ data: product }: { data: { id: string } }) => {
  const { things } = useThings({ product_id: product.id })
  return (
    <Container className="divide-y p-0">
      <Heading level="h2" className="px-6 py-4">
        Things
      </Heading>
      <div className="px-6 py-4">
        {things.length === 0 && <Text size="small">None yet.</Text>}
        {things.map((each) => (
          <Text key={each.id} size="small">
            {each.name}
          </Text>
        ))}
      </div>
    </Container>
  )
}

export const config = defineWidgetConfig({ zone: "product.details.side.before" })

export default ProductThings
