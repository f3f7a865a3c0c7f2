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
        let initdb = try Programs.system("initdb", package: "postgresql")
        let postgres = try Programs.system("postgres", package: "postgresql")
        // Segments of 1 MB keep each of the copies small. Nothing here outlives the world, so nothing is synced.
        let options = "--username postgres --auth trust --no-sync --encoding UTF8 --locale C --wal-segsize 1"
        let data = "'\(template.path)'"
        // The settings must be in force when the role is made: a replica refuses to follow a primary that had more.
        try await run(
            "'\(initdb)' --pgdata \(data) \(options) && cat >> \(data)/postgresql.conf"
                + " && echo 'CREATE ROLE \(Self.user) LOGIN SUPERUSER REPLICATION'"
                + " | '\(postgres)' --single -F -D \(data) postgres", reading: Self.settings)
    }

    /// Copies the template for an instance that has not run yet.
    ///
    /// - Parameters:
    ///   - address: Where it will listen.
    ///   - primary: Whom it follows; nil makes it a primary.
    /// - Throws: `Child.Failure` when a file cannot be written.
    package func create(at address: SocketAddress, following primary: SocketAddress?) async throws {
        let home = home(of: address)
        var settings = """
            listen_addresses = '\(address.address)'
            port = \(address.port)
            unix_socket_directories = '\(home.path)'

            """
        var script = "cp -R '\(template.path)' '\(home.path)' && cat >> '\(home.path)/postgresql.conf'"
        if let primary {
            settings += "primary_conninfo = 'host=\(primary.address) port=\(primary.port) user=\(Self.user)'\n"
            script += " && touch '\(home.path)/standby.signal'"
        }
        try await run(script, reading: settings)
    }

    private static let settings = """
        fsync = off
        shared_buffers = 4MB
        max_connections = 40
        max_wal_senders = 4
        wal_keep_size = 64MB
        wal_retrieve_retry_interval = 200ms
        autovacuum = off
        jit = off

        """

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

    private var template: URL { folder.appending(path: "template") }

    /// Runs a shell script as PostgreSQL's user.
    private func run(_ script: String, reading input: String) async throws {
        let file = folder.appending(path: "input-\(UUID().uuidString)")
        try input.write(to: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try await Command.run(
            ["sh", "-c", "exec < '\(file.path)'; \(script)"], folder: folder, limit: .seconds(30), account: account)
        guard output.succeeded else {
            throw Child.Failure(description: "PostgreSQL cannot be set up:\n\(output.text)\(output.errors)")
        }
    }
}
