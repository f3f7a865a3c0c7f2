import Dispatch
import Foundation
import Glibc
import Synchronization

/// A process of the world: started at once, killed by the kernel when this process ends in whatever way.
package final class Child: Sendable {
    package enum Exit: Sendable, Hashable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .status(let status): "status \(status)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    /// How a process is started.
    package struct Launch: Sendable {
        package var program: String
        package var arguments: [String]
        package var environment: [String: String]
        /// Standard output and standard error, appended.
        package var output: String
        /// Standard error alone, when it goes elsewhere.
        package var errors: String?
        /// The signal that the kernel sends when this process ends before the child; nil leaves the child to itself.
        package var signalOnDeath: String?
        /// Who to run as; nil is who we are.
        package var account: Account?

        /// - Parameters:
        ///   - program: A path, or a name to look up in `PATH`.
        ///   - arguments: Without the program's own name.
        ///   - environment: Added to ours.
        ///   - output: Path of the file that takes what the process prints.
        package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], output: String) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
            self.output = output
            self.signalOnDeath = "KILL"
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let name: String
    package let processID: Int32
    private let exit = Mutex<Exit?>(nil)

    /// - Throws: `Failure` when the program cannot be started.
    package init(_ name: String, _ launch: Launch) throws(Failure) {
        self.name = name
        var words = [launch.program] + launch.arguments
        // setpriv (util-linux) does between fork and exec what posix_spawn cannot: the signal on our death, the user.
        if launch.signalOnDeath != nil || launch.account != nil {
            var wrapper = ["setpriv"]
            if let signal = launch.signalOnDeath { wrapper += ["--pdeathsig", signal] }
            if let account = launch.account {
                wrapper += ["--reuid", "\(account.user)", "--regid", "\(account.group)", "--clear-groups"]
            }
            words = wrapper + words
        }
        let environment = ProcessInfo.processInfo.environment.merging(launch.environment) { _, new in new }
            .map { "\($0.key)=\($0.value)" }
        let spawned = SpawnThread.shared.run { [words] in
            spawn(words, environment: environment, output: launch.output, errors: launch.errors)
        }
        guard spawned > 0 else { throw Failure(description: "cannot start \(name): error \(-spawned)") }
        self.processID = spawned
    }

    /// How it ended; nil while it runs.
    package var ended: Exit? {
        exit.withLock { exit in
            guard exit == nil else { return exit }
            var status: Int32 = 0
            guard unsafe waitpid(processID, &status, WNOHANG) == processID else { return nil }
            exit = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
            return exit
        }
    }

    package func send(_ signal: Int32) {
        exit.withLock { exit in
            if exit == nil { _ = kill(processID, signal) }
        }
    }

    /// Waits for the end; nil when it has not come within `limit`.
    package func wait(_ limit: Duration) async -> Exit? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let ended { return ended }
            if ContinuousClock.now >= deadline { return nil }
            // Ends are awaited after a cancellation too, when a sleep returns at once: the world must be taken down.
            if (try? await Task.sleep(for: .milliseconds(2))) == nil { usleep(2000) }
        }
    }

    /// Sends `signal`, waits for `limit`, then kills.
    @discardableResult
    package func stop(_ signal: Int32 = SIGTERM, within limit: Duration = .seconds(8)) async -> Exit? {
        send(signal)
        if let ended = await wait(limit) { return ended }
        send(SIGKILL)
        return await wait(.seconds(2))
    }
}

/// The thread that starts every process. The kernel's signal on the parent's death goes by thread, and the threads of the
/// concurrency pool come and go; this one stays.
private final class SpawnThread: Sendable {
    static let shared = SpawnThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread { [self] in
            while true {
                waiting.wait()
                let job = jobs.withLock { $0.removeFirst() }
                job()
            }
        }
    }

    /// Runs `body` on the thread and waits for its result.
    func run(_ body: @escaping @Sendable () -> Int32) -> Int32 {
        let outcome = Outcome()
        let done = DispatchSemaphore(value: 0)
        let job: @Sendable () -> Void = {
            let value = body()
            outcome.value.withLock { $0 = value }
            done.signal()
        }
        jobs.withLock { $0.append(job) }
        waiting.signal()
        done.wait()
        return outcome.value.withLock { $0 }
    }

    private final class Outcome: Sendable {
        let value = Mutex<Int32>(0)
    }
}

/// posix_spawn with a clean signal mask, default signal actions, a process group of its own and no standard input.
/// - Returns: The process id, or a negated errno.
private func spawn(_ words: [String], environment: [String], output: String, errors: String?) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
        unsafe posix_spawn_file_actions_destroy(&actions)
        unsafe posix_spawnattr_destroy(&attributes)
    }
    let append = O_WRONLY | O_CREAT | O_APPEND
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, append, 0o644)
    if let errors {
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, append, 0o644)
    } else {
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    }
    // Nothing else is inherited; closing what is not open is no error here.
    for descriptor in Int32(3)..<256 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var pid: Int32 = 0
    let argv = unsafe words.map { unsafe strdup($0) } + [nil]
    let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
        for index in unsafe argv.indices { unsafe free(argv[index]) }
        for index in unsafe envp.indices { unsafe free(envp[index]) }
    }
    let status = unsafe posix_spawnp(&pid, words[0], &actions, &attributes, argv, envp)
    return status == 0 ? pid : -status
}
