import DNSWire
import Engine
import Model

/// Takes every nth answer of a dynamic name as it is sent, to be explained later by somebody who has the time. Confined to
/// the worker; allocates nothing and never blocks.
@safe
final class AnswerSampler {
    /// What stands before the reply in a worker's ring.
    struct Head: BitwiseCopyable {
        /// Octets of the reply.
        var length: UInt32
        var port: UInt16
        var isIPv4: Bool
        var isStream: Bool
        var addressHigh: UInt64
        var addressLow: UInt64
        /// Of the table that answered.
        var generation: UInt64
        /// The state of the draws behind the answer: what it picked, if it drew.
        var random: UInt64
        /// Nanoseconds since 1970.
        var time: Int64
    }

    /// A tick's worth: some four hundred answers, which take a control thread some milliseconds to explain.
    static let ringSize = 1 << 16
    /// A longer reply over TCP is lost.
    private static let longestReply = 8192

    private let ring: LogRing
    private let sample: Int
    private var untilNext = 1
    /// The worker's tally of steered answers at the latest query.
    private var steered: UInt64 = 0
    private var responder: WorkerResponder?
    private let room: UnsafeMutableRawPointer

    /// `sample`: at least 1.
    init(ring: LogRing, sample: Int) {
        self.ring = ring
        self.sample = sample
        unsafe room = .allocate(byteCount: MemoryLayout<Head>.stride + Self.longestReply, alignment: 8)
    }

    deinit { unsafe room.deallocate() }

    /// Goes by the tallies of `responder`, which have just been cleared.
    func follow(_ responder: WorkerResponder) {
        self.responder = responder
        steered = responder.tally(.dynamic)
    }

    func passOver() { steered = responder?.tally(.dynamic) ?? 0 }

    func note(
        _ reply: UnsafeRawBufferPointer, from client: SocketAddress, over transport: Responder.Transport,
        at worker: Worker
    ) {
        guard let responder else { return }
        let now = responder.tally(.dynamic)
        if now == steered { return }
        steered = now
        untilNext -= 1
        guard untilNext == 0 else { return }
        untilNext = sample
        guard reply.count <= Self.longestReply, let source = reply.baseAddress else { return ring.countLost() }
        let head = unsafe Head(
            length: UInt32(reply.count), port: client.port, isIPv4: client.address.family == .v4,
            isStream: transport == .tcp, addressHigh: client.address.high, addressLow: client.address.low,
            generation: responder.generation, random: responder.responder.pointee.random,
            time: worker.wallClock.nanoseconds)
        unsafe room.storeBytes(of: head, as: Head.self)
        unsafe (room + MemoryLayout<Head>.stride).copyMemory(from: source, byteCount: reply.count)
        unsafe ring.append(UnsafeRawBufferPointer(start: room, count: MemoryLayout<Head>.stride + reply.count))
    }
}

/// An answer that was served, as a worker kept it.
struct AnswerSample {
    let time: Timestamp
    let source: SocketAddress
    let isStream: Bool
    let generation: UInt64
    let random: UInt64
    let reply: Message

    /// All samples that a worker's ring gave.
    static func read(_ octets: [UInt8]) -> [AnswerSample] {
        let size = MemoryLayout<AnswerSampler.Head>.stride
        var samples: [AnswerSample] = []
        var position = 0
        while position + size <= octets.count {
            let head = unsafe octets.withUnsafeBytes {
                unsafe $0.loadUnaligned(fromByteOffset: position, as: AnswerSampler.Head.self)
            }
            let start = position + size
            position = start + Int(head.length)
            guard position <= octets.count,
                let reply = unsafe try? Message(octets.span.bytes.extracting(start..<position))
            else { continue }
            let address = IPAddress(
                family: head.isIPv4 ? .v4 : .v6, high: head.addressHigh, low: head.addressLow)
            samples.append(
                AnswerSample(
                    time: Timestamp(nanoseconds: head.time), source: SocketAddress(address, port: head.port),
                    isStream: head.isStream, generation: head.generation, random: head.random, reply: reply))
        }
        return samples
    }

    /// Who steering went by: the client subnet that the reply repeats, unless it is empty, else the source.
    var client: (address: IPAddress, prefix: IPPrefix?) {
        for record in reply.additional where record.type == .opt {
            let wire = record.data.wire
            var position = 0
            while position + 4 <= wire.count {
                let length = Int(wire[position + 2]) << 8 | Int(wire[position + 3])
                let data = wire[(position + 4)...].prefix(length)
                if wire[position] == 0, wire[position + 1] == 8, let subnet = Self.subnet(Array(data)) { return subnet }
                position += 4 + length
            }
        }
        return (source.address.canonical, nil)
    }

    private static func subnet(_ data: [UInt8]) -> (IPAddress, IPPrefix?)? {
        guard data.count > 4, data[2] > 0 else { return nil }
        let octets = Array(data[4...]) + Array(repeating: 0, count: 16)
        func word(_ from: Int, _ count: Int) -> UInt64 {
            octets[from..<(from + count)].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let length = Int(data[2])
        if data[1] == 1 {
            let address = IPAddress(v4: UInt32(word(0, 4)))
            return (address, IPPrefix(address, length: length))
        }
        let address = IPAddress(v6: word(0, 8), word(8, 8))
        return (length >= 96 ? address.canonical : address, IPPrefix(address, length: length))
    }
}
