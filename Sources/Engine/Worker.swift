import CLinux
import Glibc
package import Model

/// One thread, one epoll, and everything that belongs to it: listeners, connections, timers, buffers, counters.
/// Nothing of it is touched from another thread; `mailbox` is how others ask.
@safe
package final class Worker {
    package let index: Int
    package let mailbox: Mailbox
    package let buffers: BufferPool
    package let counters: CounterBlock
    /// Monotonic nanoseconds, read once per loop turn and again when a channel has used up its share of one, without the times
    /// in which this worker did not run: what was to happen meanwhile gets its time afterwards, and no deadline passes that
    /// nobody could have met.
    package private(set) var now: UInt64
    /// Loop turns so far.
    package private(set) var turn: UInt64 = 0
    /// How often this worker did not run for longer than `longestTurn`: the process was stopped, or its machine suspended.
    package private(set) var standstills: UInt64 = 0
    /// Nanoseconds of standing still so far.
    private var lost: UInt64 = 0
    package var random: WorkerRandom

    let poller: Poller
    private let heartbeat: CInt
    /// Where the mailbox is heard. Opened with the rest: a worker that is told to start without it would be deaf.
    private let slot: CInt
    var timers: TimerWheel
    private var registered: Unmanaged<Channel>?
    private var graves: [Unmanaged<Channel>] = unsafe []
    private var isStopping = false
    private var beginHook: (() -> Void)?
    private var endHook: (() -> Void)?
    /// Where to wait instead of in the poller.
    private var waitingPlace: Unmanaged<Channel>?
    private var glancedAt: UInt64 = 0

    /// Nanoseconds between two looks into the poller by a worker that waits elsewhere: how long a message may lie.
    package static let glanceInterval: UInt64 = 100_000_000

    /// Nanoseconds from one turn to the next at most while the worker runs: the heartbeat makes one each second.
    package static let longestTurn: UInt64 = 2_000_000_000

    /// A worker that no thread runs yet; see `WorkerGroup`.
    package init(index: Int, counters: CounterBlock) throws(SocketError) {
        self.index = index
        self.counters = counters
        mailbox = try Mailbox()
        slot = try mailbox.duplicate()
        heartbeat = try Heartbeat.timer()
        poller = try Poller()
        buffers = BufferPool()
        now = Self.monotonicNanoseconds()
        random = WorkerRandom(seed: UInt64.random(in: 1...UInt64.max))
        timers = TimerWheel(now: now)
    }

    /// The wall clock, for logs and reports; one vDSO call.
    package var wallClock: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Calls `begin` in each loop turn before what has come is handled, as for comparing the generation of a published
    /// table, and `end` after it. Set before the loop begins, in the group's `setUp`.
    package func onTurn(begin: (() -> Void)? = nil, end: @escaping () -> Void) {
        beginHook = begin
        endHook = end
    }

    /// Ends the loop after the current turn and closes every channel that is still open.
    package func stop() { isStopping = true }

    /// Serves events until `stop()`.
    func run() {
        MailboxChannel(worker: self, mailbox: mailbox, descriptor: slot).register()
        Heartbeat(worker: self, descriptor: heartbeat).register()
        // A constant: no reference is counted in each turn.
        let hook = endHook
        while !isStopping {
            if let place = unsafe waitingPlace {
                unsafe place._withUnsafeGuaranteedRef { $0.waitAndServe() }
                if now &- glancedAt >= Self.glanceInterval {
                    glancedAt = now
                    poller.wait(milliseconds: 0, worker: self)
                }
            } else {
                poller.wait(milliseconds: timers.timeout(now: now), worker: self)
            }
            serveTimers()
            hook?()
            if unsafe !graves.isEmpty { emptyGraves() }
        }
        while let last = unsafe registered { unsafe last._withUnsafeGuaranteedRef { $0.close() } }
        emptyGraves()
        beginHook = nil
        endHook = nil
        poller.tearDown()
        timers.tearDown()
    }

    private func serveTimers() {
        while let channel = timers.next(now: now) {
            if channel.deadline == 0 { continue }
            if channel.deadline <= now {
                channel.deadline = 0
                channel.deadlineReached()
            } else {
                timers.arm(channel)
            }
        }
    }

    /// Keeps `channel` alive from here on.
    func enlist(_ channel: Channel) {
        let entry = unsafe Unmanaged.passRetained(channel)
        unsafe channel.nextRegistered = registered
        if let next = unsafe registered {
            unsafe next._withUnsafeGuaranteedRef { unsafe $0.previousRegistered = entry }
        }
        unsafe registered = entry
    }

    /// Waits in `channel`, which is enlisted, until it is closed.
    func waitIn(_ channel: Channel) { unsafe waitingPlace = Unmanaged.passUnretained(channel) }

    /// Takes a closed channel off the list, keeps it until the turn ends and then lets it go.
    func discharge(_ channel: Channel) {
        if let place = unsafe waitingPlace, unsafe place._withUnsafeGuaranteedRef({ $0 === channel }) {
            unsafe waitingPlace = nil
        }
        let next = unsafe channel.nextRegistered
        let previous = unsafe channel.previousRegistered
        if let next = unsafe next { unsafe next._withUnsafeGuaranteedRef { unsafe $0.previousRegistered = previous } }
        if let previous = unsafe previous {
            unsafe previous._withUnsafeGuaranteedRef { unsafe $0.nextRegistered = next }
        } else {
            unsafe registered = next
        }
        unsafe channel.nextRegistered = nil
        unsafe channel.previousRegistered = nil
        unsafe graves.append(Unmanaged.passUnretained(channel))
    }

    private func emptyGraves() {
        // A release may close further channels, which then lie behind the ones being released.
        var index = 0
        while unsafe index < graves.count {
            unsafe graves[index].release()
            index += 1
        }
        unsafe graves.removeAll(keepingCapacity: true)
    }

    /// Between a wait and what it brought.
    func turnBegins() {
        turn &+= 1
        refreshClock()
        beginHook?()
    }

    /// Reads the clock, at the beginning of a turn and late in a long one, so that deadlines which are set there are not
    /// reckoned from its beginning.
    func refreshClock() {
        let next = Self.monotonicNanoseconds() &- lost
        if next &- now > Self.longestTurn {
            resume(at: next)
        } else {
            now = next
        }
    }

    /// Nobody is late because of a time in which nobody was looked at.
    private func resume(at next: UInt64) {
        lost &+= next &- now
        standstills &+= 1
    }

    package static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// xorshift64* (Vigna, 2016): balancing needs speed and spread, not secrecy.
package struct WorkerRandom: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed == 0 ? 1 : seed }

    package mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }
}
