import Engine
import Foundation
import Model

/// A real PostgreSQL primary, and a streaming replica on demand, in a temporary folder.
final class PostgreSQLCluster {
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

    /// Makes a primary, runs `body` and takes everything down.
    static func with(_ body: (PostgreSQLCluster) async throws -> Void) async throws {
        let cluster = PostgreSQLCluster()
        let result: Result<Void, any Error>
        do {
            try await cluster.create()
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        for name in ["replica", "primary"] { try? await cluster.stop(name) }
        try? FileManager.default.removeItem(atPath: cluster.folder)
        try result.get()
    }

    private func create() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // PostgreSQL refuses to run as root.
        if geteuid() == 0 { try await run(["/usr/bin/chown", "postgres", folder]) }
        try await program("initdb", "-D", "\(folder)/primary", "-U", "postgres", "-A", "trust", "--no-sync")
        try await start("primary", port)
    }

    func addReplica() async throws {
        try await program(
            "pg_basebackup", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-D", "\(folder)/replica", "-R",
            "-X", "stream", "-c", "fast", "--no-sync")
        try await start("replica", port + 1)
    }

    private func start(_ name: String, _ port: UInt16) async throws {
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
        let command = ["\(programs)/\(name)"] + arguments
        try await run(geteuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] + command : command)
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
