// The real tus server: node server.mjs FOLDER [PORT]. Prints its port once it listens.
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [folder, port = '0'] = process.argv.slice(2)
const server = new Server({ path: '/files', datastore: new FileStore({ directory: folder }) })
const http = server.listen({ host: '127.0.0.1', port: Number(port) })
http.on('listening', () => console.log(http.address().port))
