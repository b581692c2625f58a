// Segment's own client for Node, as a program: `segment.cjs HOST WRITE_KEY`.
const { Analytics } = require('@segment/analytics-node')

const [host, writeKey] = process.argv.slice(2)
const client = new Analytics({ host, writeKey, maxRetries: 1 })
client.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})
const userId = 'node-1'
client.identify({ userId, traits: { email: 'Cem@Example.com', firstName: 'Cem', phone: '030 1112223', plan: 'pro' } })
client.track({ userId, anonymousId: 'anon-1', event: 'Signed Up', properties: { plan: 'pro' } })
client.alias({ previousId: 'anon-1', userId })
client.group({ userId, groupId: 'acme', traits: { name: 'Acme' } })
client.page({ userId, category: 'Shop', name: 'Prices', properties: { url: 'https://www.example.com/prices' } })
client.closeAndFlush()
