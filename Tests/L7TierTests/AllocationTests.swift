import CMallocCount
import ControlPlane
import L7Tier
import Model
import Synchronization
import TestKit
import Testing

extension L7TierTests {
    /// Zero allocations per proxied request, counted on the worker's own thread.
    @Suite("Memory")
    struct AllocationTests {
        private func allocations(_ proxy: Proxy) async -> UInt64 {
            await withCheckedContinuation { continuation in
                proxy.server.broadcast { _ in continuation.resume(returning: meridian_allocations()) }
            }
        }

        @Test(
            "Requests on kept connections allocate nothing, logged or not",
            arguments: [nil, LogSettings.Format.json, .text])
        func steadyState(format: LogSettings.Format?) async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok("hello", "Server: s\r\nX-A: b\r\n"))] }
            var settings = Proxy.Settings()
            if let format { (settings.accessLog, settings.logFormat) = ("/dev/null", format) }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            let request = "GET /a/b?c HTTP/1.1\r\nHost: www.shop.test\r\nUser-Agent: t\r\nAccept: */*\r\n\r\n"
            func run(_ count: Int) throws {
                for _ in 0..<count {
                    try client.send(request)
                    _ = try client.readResponse()
                }
            }
            try run(50)
            // What a message to the worker costs by itself.
            let first = await allocations(proxy)
            let second = await allocations(proxy)
            try run(1_000)
            let third = await allocations(proxy)
            let grown = Int(third - second) - Int(second - first)
            // Without optimisation ten values of a request are kept on the heap, and there must not be more of them.
            #if DEBUG
            #expect(grown <= 10_500, "1,000 requests allocated \(grown) times")
            #else
            #expect(grown <= 16, "1,000 requests allocated \(grown) times")
            #endif
            await proxy.stop()
        }
    }
}
