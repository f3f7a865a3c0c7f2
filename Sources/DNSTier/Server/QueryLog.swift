import DNSWire
import Engine
import Model

/// What one worker notes of its queries: an access line for every nth one, made from the reply, and samples of answers that
/// are to be explained. Confined to the worker; allocates nothing and never blocks.
///
/// A record tells client, transport, name, type, code and octets of the messages.
final class QueryLog {
    /// Octets of a name as it is written: all of its 255 as `\ddd`, each backslash twice.
    private static let longestName = 1280

    /// Nil when no access log is written.
    private let record: AccessRecord?
    private let sampler: AnswerSampler?
    private let worker: Worker
    /// Text that is no constant, on its way into the record.
    private let text = LogLine()

    init(record: AccessRecord?, sampler: AnswerSampler?, worker: Worker) {
        self.record = record
        self.sampler = sampler
        self.worker = worker
    }

    /// Has `sampler` follow the worker's responder, which answers from table `generation` from now on. Its tallies have
    /// just been cleared.
    func turnEnded(_ responder: WorkerResponder) { sampler?.follow(responder) }

    /// Forgets that the latest query was answered: its reply was not sent.
    func passOver() { sampler?.passOver() }

    /// Takes note of `reply`, which is empty when the query was dropped, to a query of `size` octets.
    func note(
        _ reply: UnsafeRawBufferPointer, to size: Int, from client: SocketAddress, over transport: Responder.Transport
    ) {
        guard reply.count >= messageHeaderSize else { return }
        if let sampler { unsafe sampler.note(reply, from: client, over: transport, at: worker) }
        guard let record, record.begin(at: worker.wallClock) else { return }
        record.add("client", client)
        record.add("transport", transport == .udp ? "udp" : "tcp")
        text.clear()
        if let type = unsafe appendName(reply) {
            unsafe record.add("name", text: text.bytes.bytes, limit: Self.longestName)
            text.clear()
            append(type: type)
            unsafe record.add("type", text: text.bytes.bytes)
        }
        record.add("code", unsafe code(reply))
        record.add("bytes_in", UInt64(size))
        record.add("bytes_out", UInt64(reply.count))
        record.end()
    }

    /// Appends the name in the question and returns the type; nil when there is no question.
    private func appendName(_ reply: UnsafeRawBufferPointer) -> UInt16? {
        var position = messageHeaderSize
        guard unsafe reply[4] != 0 || reply[5] != 0 else { return nil }
        if unsafe position < reply.count && reply[position] == 0 { text.append(byte: UInt8(ascii: ".")) }
        while position < reply.count, case let length = unsafe Int(reply[position]), length != 0 {
            let end = position &+ 1 &+ length
            guard end < reply.count else { return nil }
            for index in (position &+ 1)..<end { append(unsafe reply[index]) }
            text.append(byte: UInt8(ascii: "."))
            position = end
        }
        guard position &+ 2 < reply.count else { return nil }
        return unsafe UInt16(reply[position &+ 1]) << 8 | UInt16(reply[position &+ 2])
    }

    /// One octet of a name. What could be taken for something else is written as in a master file.
    private func append(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "."), 0...0x20, 0x7f...0xff:
            text.append(byte: UInt8(ascii: "\\"))
            text.append(byte: 0x30 &+ octet / 100)
            text.append(byte: 0x30 &+ octet / 10 % 10)
            text.append(byte: 0x30 &+ octet % 10)
        default:
            text.append(byte: octet)
        }
    }

    private func append(type: UInt16) {
        switch RecordType(rawValue: type) {
        case .a: text.append("A")
        case .aaaa: text.append("AAAA")
        case .ns: text.append("NS")
        case .cname: text.append("CNAME")
        case .soa: text.append("SOA")
        case .ptr: text.append("PTR")
        case .mx: text.append("MX")
        case .txt: text.append("TXT")
        case .srv: text.append("SRV")
        case .ds: text.append("DS")
        case .caa: text.append("CAA")
        case .any: text.append("ANY")
        default:
            text.append("TYPE")
            text.append(UInt64(type))
        }
    }

    private func code(_ reply: UnsafeRawBufferPointer) -> StaticString {
        switch ResponseCode(rawValue: unsafe UInt16(reply[3] & 15)) {
        // The extended codes here are BADVERS, whose lower part is that of NOERROR, and BADCOOKIE, whose is 7.
        case .noError: unsafe isBadVersion(reply) ? "BADVERS" : "NOERROR"
        case ResponseCode(rawValue: ResponseCode.badCookie.rawValue & 15): "BADCOOKIE"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .nameTooLong: "YXDOMAIN"
        case ResponseCode(rawValue: 9): "NOTAUTH"
        default: "OTHER"
        }
    }

    /// A reply without records but OPT has it right behind the question; the extended code is its sixth octet.
    private func isBadVersion(_ reply: UnsafeRawBufferPointer) -> Bool {
        guard unsafe reply[5] == 1 && reply[7] == 0 && reply[9] == 0 && reply[11] == 1 else { return false }
        var position = messageHeaderSize
        while position < reply.count, unsafe reply[position] != 0 {
            position = unsafe position &+ Int(reply[position]) &+ 1
        }
        position &+= 5
        guard position &+ 11 <= reply.count else { return false }
        return unsafe reply[position &+ 2] == 41 && reply[position &+ 5] == 1
    }
}
