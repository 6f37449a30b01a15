// Starts a PDS and a PLC directory on free ports of this machine, and prints {"pds": "http://localhost:PORT"} as a line.
// It ends when its standard input does, so it never outlives the tests; what it kept is deleted then.
import { rmSync } from 'node:fs'
import { TestNetworkNoAppView } from '@atproto/dev-env'

const network = await TestNetworkNoAppView.create({
  pds: { serviceHandleDomains: ['.test'], blobUploadLimit: 100_000_000 }, // as bsky.social takes films
})
console.log(JSON.stringify({ pds: network.pds.url }))

process.stdin.resume()
process.stdin.on('end', async () => {
  const kept = [network.pds.ctx.cfg.actorStore.directory, network.pds.ctx.cfg.blobstore.location]
  setTimeout(() => process.exit(0), 3000).unref() // a hanging connection must not hold the tests up
  await network.close()
  for (const folder of kept) if (folder) rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
