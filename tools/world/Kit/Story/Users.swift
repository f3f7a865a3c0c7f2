package import Foundation
package import Model

/// What users of the world do, with the programs that they would use.
package struct Users: Sendable {
    package let folder: URL
    /// Where the DNS node answers.
    package let resolver: SocketAddress

    package init(folder: URL, resolver: SocketAddress) {
        self.folder = folder
        self.resolver = resolver
    }

    /// `dig`, for a client in `subnet`.
    ///
    /// - Parameters:
    ///   - name: The name to ask for.
    ///   - subnet: Sent as the EDNS client subnet, such as `10.2.0.0/24`.
    ///   - type: The record type.
    ///   - options: Further words for dig.
    /// - Returns: The data of the answer's records, one element each.
    /// - Throws: `Programs.Missing`.
    package func dig(
        _ name: String, subnet: String? = nil, type: String = "A", options: [String] = []
    ) async throws -> [String] {
        let dig = try Programs.system("dig", package: "bind9-dnsutils")
        var words = [
            dig, "-r", "@\(resolver.address)", "-p", "\(resolver.port)", "+short", "+tries=1", "+time=1", "+norecurse",
        ]
        if let subnet { words.append("+subnet=\(subnet)") }
        let output = try await Command.run(words + options + [name, type], folder: folder, limit: .seconds(3))
        // dig prints its complaints as comments.
        return output.text.split(separator: "\n").filter { !$0.hasPrefix(";") }.map(String.init)
    }

    /// What came back for a request; status 0 when nothing did.
    package struct Page: Sendable, Hashable {
        package let status: Int
        package let body: String
    }

    /// `curl`, connected to `address` whatever the URL says.
    ///
    /// - Parameters:
    ///   - url: `http://www.shop.test/`.
    ///   - address: Where to connect.
    ///   - options: Further words for curl.
    /// - Returns: The page.
    /// - Throws: `Programs.Missing`.
    package func curl(_ url: String, at address: SocketAddress, options: [String] = []) async throws -> Page {
        let curl = try Programs.system("curl", package: "curl")
        let words = [
            curl, "--silent", "--max-time", "3", "--connect-to", "::\(address)", "--write-out", "\n%{http_code}",
        ]
        let output = try await Command.run(words + options + [url], folder: folder, limit: .seconds(5))
        var lines = output.text.split(separator: "\n", omittingEmptySubsequences: false)
        let status = lines.popLast().flatMap { Int($0) } ?? 0
        return Page(
            status: status,
            body: lines.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The status of each of `count` requests, one after another on persistent connections.
    ///
    /// - Parameters:
    ///   - url: Without a query; one is added to tell the requests apart.
    ///   - address: Where to connect.
    ///   - count: How many.
    ///   - rate: Requests per second at most.
    /// - Returns: HTTP statuses in order, 0 where there was no answer.
    /// - Throws: `Programs.Missing`.
    package func series(_ url: String, at address: SocketAddress, count: Int, rate: Int) async throws -> [Int] {
        let curl = try Programs.system("curl", package: "curl")
        let output = try await Command.run(
            [
                curl, "--silent", "--max-time", "3", "--connect-to", "::\(address)", "--output", "/dev/null",
                "--write-out", "%{http_code}\n", "--rate", "\(rate)/s", "\(url)?[1-\(count)]",
            ], folder: folder, limit: .seconds(20))
        return output.text.split(separator: "\n").map { Int($0) ?? 0 }
    }

    /// `psql`.
    ///
    /// - Parameters:
    ///   - sql: One statement.
    ///   - address: Where to connect.
    /// - Returns: The unaligned rows, or nil when it failed.
    /// - Throws: `Programs.Missing`.
    package func psql(_ sql: String, at address: SocketAddress) async throws -> String? {
        let psql = try Programs.system("psql", package: "postgresql")
        let output = try await Command.run(
            [
                psql, "-X", "-h", "\(address.address)", "-p", "\(address.port)", "-U", Database.user, "-d", "postgres",
                "-Atqc", sql,
            ], folder: folder, limit: .seconds(5), environment: ["PGCONNECT_TIMEOUT": "2"])
        return output.succeeded ? output.trimmed : nil
    }
}
