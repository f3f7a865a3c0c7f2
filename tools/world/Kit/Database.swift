package import Foundation
import Glibc
package import Model

/// Real PostgreSQL: a primary and a streaming replica in each region, made from one template.
package struct Database: Sendable {
    /// The role that checks and users log in as; it may replicate as well.
    package static let user = "meridian"

    private let folder: URL
    /// PostgreSQL refuses to run as root.
    private let account: Account?

    /// Makes the template: `initdb`, then the role.
    ///
    /// - Throws: `Programs.Missing`, or `Child.Failure` with what initdb printed.
    package init(folder: URL) async throws {
        self.folder = folder
        self.account = geteuid() == 0 ? Account.named("postgres") ?? Account.named("nobody") : nil
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if let account { try account.takeOver(folder.path) }
        let template = folder.appending(path: "template").path
        let initdb = try Programs.system("initdb", package: "postgresql")
        let postgres = try Programs.system("postgres", package: "postgresql")
        // Segments of 1 MB keep each of the copies small. Nothing here outlives the world, so nothing is synced.
        try await run(
            [
                initdb, "--pgdata", template, "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding",
                "UTF8", "--locale", "C", "--wal-segsize", "1", "--no-instructions",
            ])
        let role = "CREATE ROLE \(Self.user) LOGIN SUPERUSER REPLICATION"
        try await run(["sh", "-c", "echo '\(role)' | '\(postgres)' --single -F -D '\(template)' postgres"])
    }

    /// Copies the template for an instance that has not run yet.
    ///
    /// - Parameters:
    ///   - address: Where it will listen.
    ///   - primary: Whom it follows; nil makes it a primary.
    /// - Throws: `Child.Failure` when a file cannot be written.
    package func create(at address: SocketAddress, following primary: SocketAddress?) async throws {
        let home = home(of: address)
        try await run(["cp", "-R", folder.appending(path: "template").path, home.path])
        var settings = """
            listen_addresses = '\(address.address)'
            port = \(address.port)
            unix_socket_directories = '\(folder.path)'
            fsync = off
            shared_buffers = 4MB
            max_connections = 40
            max_wal_senders = 4
            wal_keep_size = 64MB
            wal_retrieve_retry_interval = 200ms
            autovacuum = off
            jit = off
            """
        if let primary {
            settings += "\nprimary_conninfo = 'host=\(primary.address) port=\(primary.port) user=\(Self.user)'\n"
            try await run(["touch", home.appending(path: "standby.signal").path])
        }
        let file = folder.appending(path: "settings-\(address.port)")
        try settings.write(to: file, atomically: false, encoding: .utf8)
        try await run(["sh", "-c", "cat '\(file.path)' >> '\(home.path)/postgresql.conf'"])
    }

    /// Starts an instance that `create` made; the kernel ends it when we end.
    package func start(_ address: SocketAddress, name: String) throws -> Child {
        var launch = Child.Launch(
            try Programs.system("postgres", package: "postgresql"), ["-D", home(of: address).path],
            output: folder.appending(path: "log-\(address)").path)
        launch.account = account
        // Its immediate shutdown: killed outright it would leave shared memory behind.
        launch.signalOnDeath = "QUIT"
        return try Child(name, launch)
    }

    private func home(of address: SocketAddress) -> URL { folder.appending(path: "data-\(address)") }

    private func run(_ words: [String]) async throws {
        let output = try await Command.run(words, folder: folder, limit: .seconds(30), account: account)
        guard output.succeeded else {
            throw Child.Failure(description: "\(words[0]) failed:\n\(output.text)\(output.errors)")
        }
    }
}
