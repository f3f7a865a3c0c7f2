import Engine
import Glibc
package import Model
import Synchronization

/// What keeps a node from running twice on one machine, where two processes would share its ports (SO_REUSEPORT) and
/// write one state file. Taken before anything is opened, and given up when the process begins to leave, so that its
/// successor may start beside it while it finishes what is under way. A successor says when it serves, so that the one
/// before it goes on taking users until then.
///
/// Two processes are the same node when they have its name and anything else in common: an address that it listens on, its
/// state file or its topology file. So a successor may come with another file, as deployments do that keep each release
/// in a folder of its own, and nodes of one name whose topologies share nothing do not meet.
package final class NodeLock: Sendable {
    /// The predecessor is still there and leaving: its ports are shared for a while.
    package let isHandOver: Bool
    package let state: StateLock?
    /// What this node is known by, hashed.
    private let marks: [String]
    private let held: Mutex<(running: [AbstractName], starting: [AbstractName], leaving: [AbstractName])>

    /// Addresses that count, the last ones. Each costs a descriptor, and another while a node starts.
    private static let mostAddresses = 4

    /// Takes the lock of `node` of the topology file at `topology`, which listens at `addresses`, and that of its state file.
    ///
    /// In a hand-over the predecessor's last state is waited for, `patience` at most. A process that runs as this node has
    /// `notice` to heed a signal that was sent just before.
    ///
    /// - Throws: when another process runs as this node, or keeps this state file.
    package init(
        node: String, topology: String, addresses: [SocketAddress] = [], state path: String?,
        patience: Duration = .seconds(10), notice: Duration = .milliseconds(500)
    ) throws(NodeTaken) {
        var facts = [Self.resolved(topology)]
        facts += addresses.suffix(Self.mostAddresses).map { "at \($0)" }
        if let path { facts.append("state \(Self.resolved(path))") }
        // FNV-1a; a name has room for no more.
        let marks = facts.map { fact in
            let hash = (fact + "\n" + node).utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
                ($0 ^ UInt64($1)) &* 1_099_511_628_211
            }
            return String(hash, radix: 16)
        }
        self.marks = marks
        // Said first: whoever is told to stop while this one waits knows that it restarts.
        let starting = Self.take("starting", marks)
        var running: [AbstractName] = []
        let end = ContinuousClock.now + notice
        for mark in marks {
            let name = "meridian-running-\(mark)"
            var mine = try? AbstractName(name)
            while mine == nil, ContinuousClock.now < end {
                usleep(10_000)
                mine = try? AbstractName(name)
            }
            // Anybody may take any name: one that a stranger has keeps nobody from serving, and the ports are looked at too.
            if mine == nil, let holder = AbstractName.holder(of: name), Self.isOurs(holder) {
                throw NodeTaken(
                    "node \(node) runs already, as process \(holder.process)",
                    cure: "end that one first, `kill \(holder.process)`; this one may start as soon as it is leaving")
            }
            if let mine { running.append(mine) }
        }
        let isHandOver = Self.isAnyOurs("leaving", marks)
        self.isHandOver = isHandOver
        // Names that the one before still had when it was told to stop are free by now.
        held = Mutex((running, starting + Self.take("starting", marks), []))
        self.state = try path.map { path throws(NodeTaken) in
            try StateLock(path, patience: isHandOver ? patience : .zero)
        }
    }

    private static func isOurs(_ holder: AbstractName.Holder) -> Bool {
        holder.user == geteuid() || holder.user == 0
    }

    private static func isAnyOurs(_ what: String, _ marks: [String]) -> Bool {
        marks.contains { AbstractName.holder(of: "meridian-\(what)-\($0)").map(isOurs) ?? false }
    }

    /// Those that nobody has. Taken by an even older process they tell the same.
    private static func take(_ what: String, _ marks: [String]) -> [AbstractName] {
        marks.compactMap { try? AbstractName("meridian-\(what)-\($0)") }
    }

    /// Users are served: the process before this one, if there is one, need not stay for them.
    package func serves() { held.withLock { $0.starting = [] } }

    /// Lets a successor start, who waits for the state file until `StateKeeper` gives it up.
    package func leave() {
        held.withLock { held in
            guard held.leaving.isEmpty else { return }
            held.leaving = Self.take("leaving", marks)
            held.running = []
            held.starting = []
        }
    }

    /// Whether another process has begun to start as this node, or waits until it may.
    package var isAwaited: Bool {
        held.withLock { $0.starting.isEmpty } && isSuccessorStarting
    }

    /// Whether a successor has begun to start and does not serve yet. It ends with that process at the latest.
    package var isSuccessorStarting: Bool { Self.isAnyOurs("starting", marks) }

    /// The file that a path leads to in the end; of one that is not there yet, the folder.
    private static func resolved(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for count in (0...parts.count).reversed() {
            let front = count == 0 ? "." : parts[..<count].joined(separator: "/")
            let real = unsafe realpath(front.isEmpty ? "/" : front, nil)
            defer { unsafe free(real) }
            guard let real = unsafe real else { continue }
            return ([unsafe String(cString: real)] + parts[count...].map(String.init)).joined(separator: "/")
        }
        return path
    }
}

/// A node, a port or a file that another process has.
package struct NodeTaken: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    package let cure: String

    init(_ message: String, cure: String) {
        self.message = message
        self.cure = cure
    }

    package var description: String { "error: \(message); \(cure)" }
}

/// The right to write a state file: a lock on a file beside it, which the kernel gives back when the process ends.
package final class StateLock: Sendable {
    private let path: String
    private let descriptor: Mutex<CInt>

    /// Takes the lock of the state file at `state`, waiting for `patience` while somebody has it. Where the lock's file
    /// cannot be made the state cannot be saved either, which is told by whoever tries: no lock is needed then.
    ///
    /// - Throws: when another process has it.
    package init(_ state: String, patience: Duration = .zero) throws(NodeTaken) {
        path = state + ".lock"
        let folder = state.lastIndex(of: "/").map { $0 == state.startIndex ? "/" : String(state[..<$0]) } ?? "."
        _ = unsafe mkdir(folder, 0o700)
        descriptor = Mutex(-1)
        let deadline = ContinuousClock.now + patience
        while true {
            switch Self.take(path) {
            case .taken(let fresh):
                descriptor.withLock { $0 = fresh }
                return
            case .impossible: return
            case .held(let process):
                guard ContinuousClock.now < deadline else {
                    let who = process.isEmpty ? "another process" : "process \(process)"
                    throw NodeTaken(
                        "the state file \(state) is kept by \(who)",
                        cure: "end that one first, or give each node a state file of its own")
                }
                usleep(20_000)
            }
        }
    }

    deinit { release() }

    package func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Takes it again, unless a successor has it.
    ///
    /// - Returns: whether the state may be written.
    package func retake() -> Bool {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { return true }
            guard case .taken(let fresh) = Self.take(path) else { return false }
            descriptor = fresh
            return true
        }
    }

    private enum Outcome {
        case taken(CInt)
        case held(by: String)
        case impossible
    }

    private static func take(_ path: String) -> Outcome {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { return .impossible }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            // For those who want to know who has it.
            let text = "\(getpid())\n"
            _ = ftruncate(descriptor, 0)
            _ = unsafe pwrite(descriptor, text, text.utf8.count, 0)
            return .taken(descriptor)
        }
        let isHeld = errno == EWOULDBLOCK
        var digits = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(descriptor, &digits, digits.count, 0)
        close(descriptor)
        guard isHeld else { return .impossible }
        return .held(
            by: String(decoding: digits.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }
}
