import CLinux
import Glibc

/// The readiness source of one worker. The only place that knows epoll, so that another one can be tried.
@safe
struct Poller {
    /// 256 events a turn: enough to keep the loop's fixed costs below 1 % at full load, 3 KiB of memory.
    private static let capacity = 256
    private static let edgeTriggered: UInt32 = 1 << 31

    private let descriptor: CInt
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(SocketError) {
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError("epoll_create1", errno) }
        unsafe events = .allocate(capacity: Self.capacity)
        unsafe events.initialize(repeating: epoll_event(), count: Self.capacity)
    }

    func tearDown() {
        close(descriptor)
        unsafe events.deallocate()
    }

    /// Watches both directions of `channel`'s descriptor at once: nothing is ever armed again.
    func add(_ channel: Channel, levelTriggered: Bool) -> Bool {
        let readable = Readiness([.readable, .peerClosed]).rawValue
        let interest = levelTriggered ? readable : readable | Readiness.writable.rawValue | Self.edgeTriggered
        return unsafe meridian_epoll_add(
            descriptor, channel.descriptor, interest, Unmanaged.passUnretained(channel).toOpaque()) == 0
    }

    /// Has epoll look at an edge-triggered channel's descriptor again and report what it finds.
    func renew(_ channel: Channel) {
        let interest = Readiness([.readable, .peerClosed, .writable]).rawValue | Self.edgeTriggered
        _ = unsafe meridian_epoll_modify(
            descriptor, channel.descriptor, interest, Unmanaged.passUnretained(channel).toOpaque())
    }

    /// Has epoll say nothing of a level-triggered channel until `hear`.
    func mute(_ channel: Channel) { modify(channel, []) }

    func hear(_ channel: Channel) { modify(channel, [.readable, .peerClosed]) }

    private func modify(_ channel: Channel, _ interest: Readiness) {
        _ = unsafe meridian_epoll_modify(
            descriptor, channel.descriptor, interest.rawValue, Unmanaged.passUnretained(channel).toOpaque())
    }

    /// Waits at most `milliseconds` and hands each ready channel to itself.
    func wait(milliseconds: CInt, worker: Worker) {
        let count = unsafe meridian_epoll_wait(descriptor, events, CInt(Self.capacity), milliseconds)
        worker.turnBegins()
        guard count > 0 else { return }
        for index in 0..<count {
            let readiness = unsafe Readiness(rawValue: events[index].events)
            guard let pointer = unsafe meridian_event_pointer(events + index) else { continue }
            // Unretained: a channel that is closed in this turn stays alive until the turn ends.
            unsafe Unmanaged<Channel>.fromOpaque(pointer)._withUnsafeGuaranteedRef { channel in
                if channel.descriptor >= 0 { channel.ready(readiness) }
            }
        }
    }
}
