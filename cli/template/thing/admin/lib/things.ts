// The admin API, as the merchant who is signed in.
import Medusa from "@medusajs/js-sdk"
import { useQuery } from "@tanstack/react-query"

export type Thing = { id: string; name: string; product_id: string; sold: number }

const sdk = new Medusa({ baseUrl: "/", auth: { type: "session" } })

export function useThings(query: Record<string, string | number>) {
  const { data, isLoading } = useQuery({
    queryKey: ["things", query],
    queryFn: () => sdk.client.fetch<{ things: Thing[]; count: number }>("/admin/things", { query }),
  })
  return { things: data?.things ?? [], count: data?.count ?? 0, isLoading }
}
