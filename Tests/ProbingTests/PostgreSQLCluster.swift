import Engine
import Foundation
import Model

/// A real PostgreSQL primary, and a streaming replica on demand, in a temporary folder.
final class PostgreSQLCluster: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// The newest installed version's programs; nil when PostgreSQL is not installed.
    static let programs: String? = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        guard let newest = versions.compactMap({ Int($0) }).max() else { return nil }
        return "\(root)/\(newest)/bin"
    }()

    let folder = NSTemporaryDirectory() + "meridian-pg-\(UInt32.random(in: 0 ... .max))"
    let port = UInt16.random(in: 20_000...29_000)

    var address: SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_0001), port: port) }
    var replicaAddress: SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_0001), port: port + 1) }

    /// Makes a primary, runs `body` and takes everything down. The role `postgres` needs no password. `rules` are lines of
    /// `pg_hba.conf` that come before those for everybody. When `isEncrypted` it has TLS, with a certificate for `db.test` and
    /// 127.0.0.1 that `ca.pem` in its folder signed.
    ///
    /// - Throws: what a command says, or `body`.
    static func with(
        rules: [String] = [], isEncrypted: Bool = false, _ body: (PostgreSQLCluster) async throws -> Void
    ) async throws {
        let cluster = PostgreSQLCluster()
        let result: Result<Void, any Error>
        do {
            try await cluster.create(rules, isEncrypted: isEncrypted)
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        for name in ["replica", "primary"] { try? await cluster.stop(name) }
        try? FileManager.default.removeItem(atPath: cluster.folder)
        try result.get()
    }

    private func create(_ rules: [String], isEncrypted: Bool) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // PostgreSQL refuses to run as root.
        if geteuid() == 0 { try await run(["/usr/bin/chown", "postgres", folder]) }
        try await program("initdb", "-D", "\(folder)/primary", "-U", "postgres", "-A", "trust", "--no-sync")
        try edit("pg_hba.conf") { rules.joined(separator: "\n") + "\n" + $0 }
        if isEncrypted {
            try await makeCertificates()
            try edit("postgresql.conf") {
                $0 + "\nssl = on\nssl_cert_file = '\(folder)/server.pem'\nssl_key_file = '\(folder)/server.key'\n"
            }
        }
        try await start("primary")
    }

    /// Changes a file of the primary's in place, so that it keeps its owner.
    private func edit(_ name: String, _ change: (String) -> String) throws {
        let path = "\(folder)/primary/\(name)"
        let text = change(try String(contentsOfFile: path, encoding: .utf8))
        guard let file = FileHandle(forWritingAtPath: path) else { throw Failure(command: path, status: -1) }
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func makeCertificates() async throws {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        try await run(
            asServer([
                "/bin/sh", "-c",
                """
                cd '\(folder)' && printf 'subjectAltName=DNS:db.test,IP:127.0.0.1' > names &&
                for ca in ca other; do openssl req -x509 \(key) -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem || exit; done
                openssl req \(key) -subj /CN=server -keyout server.key -out server.csr &&
                openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
                """,
            ]))
    }

    /// Runs statements as a superuser, on the primary unless told otherwise.
    func sql(_ text: String, on address: SocketAddress? = nil) async throws {
        let port = (address ?? self.address).port
        // Each in a transaction of its own: ALTER SYSTEM wants none around it.
        try await program(
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-d",
            "postgres", "-c", text)
    }

    /// Sends a signal to a server's postmaster alone.
    func signal(_ name: String, _ number: CInt) throws {
        let file = try String(contentsOfFile: "\(folder)/\(name)/postmaster.pid", encoding: .utf8)
        guard let process = pid_t(file.prefix { $0 != "\n" }), kill(process, number) == 0 else {
            throw Failure(command: "kill", status: errno)
        }
    }

    func addReplica() async throws {
        try await program(
            "pg_basebackup", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-D", "\(folder)/replica", "-R",
            "-X", "stream", "-c", "fast", "--no-sync")
        try await start("replica")
    }

    func start(_ name: String) async throws {
        let port = name == "primary" ? port : port + 1
        try await program(
            "pg_ctl", "-D", "\(folder)/\(name)", "-w", "-l", "\(folder)/\(name).log", "-o",
            "-p \(port) -F -c listen_addresses=127.0.0.1 -c unix_socket_directories=\(folder) -c wal_level=replica",
            "start")
    }

    func stop(_ name: String) async throws {
        try await program("pg_ctl", "-D", "\(folder)/\(name)", "-m", "immediate", "stop")
    }

    func promote() async throws { try await program("pg_ctl", "-D", "\(folder)/replica", "-w", "promote") }

    struct Failure: Error {
        let command: String
        let status: CInt
    }

    private func program(_ name: String, _ arguments: String...) async throws {
        guard let programs = Self.programs else { throw Missing(description: "apt-get install postgresql") }
        try await run(asServer(["\(programs)/\(name)"] + arguments))
    }

    private func asServer(_ command: [String]) -> [String] {
        geteuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] + command : command
    }

    /// Foundation's `Process` waits for daemons that the command leaves behind, so this spawns and waits by itself, on a
    /// thread of its own because Swift's pool must not be blocked.
    private func run(_ command: [String]) async throws {
        let status: CInt = await withCheckedContinuation { continuation in
            do {
                try Thread.start(name: "command") { continuation.resume(returning: Self.spawn(command)) }
            } catch { continuation.resume(returning: -1) }
        }
        guard status == 0 else { throw Failure(command: command.joined(separator: " "), status: status) }
    }

    private static func spawn(_ command: [String]) -> CInt {
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { while let text = unsafe arguments.popLast() { unsafe free(text) } }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<CInt> {
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, command[0], &actions, nil, arguments, environ)
        guard code == 0 else { return -code }
        var status: CInt = 0
        while unsafe waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return -errno } }
        return status
    }
}
