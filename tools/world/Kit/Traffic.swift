import ControlPlane
import Foundation
import Glibc
import Model
import Synchronization

/// Users of the demonstration: a few requests a second from each region's clients, which ask DNS, go where it sends them
/// and count who served them.
package final class Traffic: Sendable {
    /// What happened to the requests of one region's clients.
    package struct Count: Sendable, Hashable {
        package var requests = 0
        package var failures = 0
        /// By the region that served them.
        package var served: [String: Int] = [:]
    }

    private let world: World
    private let count = Mutex<[String: Count]>([:])
    private let resolver: SocketAddress?
    private let port: UInt16

    package init(_ world: World) {
        self.world = world
        let dns = world.snapshot.dns
        resolver = world.snapshot.nodes.first { $0.tier == .dns }.map { SocketAddress($0.address, port: dns.port) }
        port = world.snapshot.http.listeners.first?.port ?? 8080
    }

    /// The counts since the last call, by the clients' region.
    package func take() -> [String: Count] {
        count.withLock { count in
            defer { count = [:] }
            return count
        }
    }

    /// Sends until the task is cancelled.
    ///
    /// - Parameter rate: Requests per second from each region's clients.
    package func run(rate: Int) async {
        let users = Users(
            folder: world.folder, resolver: resolver ?? SocketAddress(IPAddress(v4: 0x7f00_0001), port: 53))
        let networks = ["us-east": "10.1", "eu-west": "10.2", "ap-south": "10.3"]
        await withTaskGroup { group in
            for region in world.snapshot.regions {
                guard let network = networks[region.name] else { continue }
                group.addTask { [self] in
                    var index = 0
                    while !Task.isCancelled {
                        index = (index + 1) % 128
                        await visit(from: region.name, subnet: "\(network).\(index).0/24", users)
                        try? await Task.sleep(for: .milliseconds(1000 / max(1, rate)))
                    }
                }
            }
        }
    }

    /// A user opens the shop.
    private func visit(from region: String, subnet: String, _ users: Users) async {
        let answer = try? await users.dig("www.shop.test", subnet: subnet)
        var servedBy: String?
        if let address = answer?.first.flatMap({ IPAddress($0) }) {
            let request = HTTPClientRequest(
                url: "http://www.shop.test/", timeout: .seconds(2), connectTo: SocketAddress(address, port: port))
            if let response = try? await world.http.request(request), response.status == 200 {
                servedBy = String(decoding: response.body, as: UTF8.self).split(separator: " ").first.map(String.init)
            }
        }
        count.withLock { count in
            var mine = count[region] ?? Count()
            mine.requests += 1
            if let servedBy { mine.served[servedBy, default: 0] += 1 } else { mine.failures += 1 }
            count[region] = mine
        }
    }
}
