import DNSWire
import Engine
import Model

/// What one worker notes of its queries: an access line for every nth one, made from the reply, and samples of answers that
/// are to be explained. Confined to the worker; allocates nothing and never blocks.
///
/// As text: time, client, transport, name, type, code, octets. As JSON: an object with the same, by name.
final class QueryLog {
    /// Nil when no access log is written.
    private let ring: LogRing?
    private let sampler: AnswerSampler?
    private let worker: Worker
    private let isJSON: Bool
    private let sample: Int
    private var untilNext = 1
    private let line = LogLine()

    init(ring: LogRing?, sampler: AnswerSampler?, worker: Worker, settings: LogSettings) {
        self.ring = ring
        self.sampler = sampler
        self.worker = worker
        isJSON = settings.format == .json
        sample = max(1, settings.accessSample)
    }

    /// Has `sampler` follow the worker's responder, which answers from table `generation` from now on. Its tallies have
    /// just been cleared.
    func turnEnded(_ responder: WorkerResponder) { sampler?.follow(responder) }

    /// Forgets that the latest query was answered: its reply was not sent.
    func passOver() { sampler?.passOver() }

    /// Takes note of `reply`, which is empty when the query was dropped.
    func note(_ reply: UnsafeRawBufferPointer, from client: SocketAddress, over transport: Responder.Transport) {
        guard reply.count >= messageHeaderSize else { return }
        if let sampler { unsafe sampler.note(reply, from: client, over: transport, at: worker) }
        guard let ring else { return }
        untilNext -= 1
        guard untilNext == 0 else { return }
        untilNext = sample
        line.clear()
        if isJSON {
            line.append("{\"time\":\"")
            line.append(worker.wallClock)
            line.append("\",\"client\":\"")
            line.append(client)
            line.append(
                transport == .udp ? "\",\"transport\":\"udp\",\"name\":\"" : "\",\"transport\":\"tcp\",\"name\":\"")
            let type = unsafe appendName(reply)
            line.append("\",\"type\":\"")
            append(type: type)
            line.append("\",\"code\":\"")
            unsafe append(code: reply)
            line.append("\",\"size\":")
            line.append(UInt64(reply.count))
            line.append("}\n")
        } else {
            line.append(worker.wallClock)
            line.append(byte: 0x20)
            line.append(client)
            line.append(transport == .udp ? " udp " : " tcp ")
            let type = unsafe appendName(reply)
            line.append(byte: 0x20)
            append(type: type)
            line.append(byte: 0x20)
            unsafe append(code: reply)
            line.append(byte: 0x20)
            line.append(UInt64(reply.count))
            line.append(byte: 0x0a)
        }
        unsafe ring.append(line.bytes)
    }

    /// Appends the name in the question, or `-` when there is none, and returns the type.
    private func appendName(_ reply: UnsafeRawBufferPointer) -> UInt16 {
        var position = messageHeaderSize
        guard unsafe reply[4] != 0 || reply[5] != 0 else {
            line.append(byte: UInt8(ascii: "-"))
            return 0
        }
        if unsafe position < reply.count && reply[position] == 0 { line.append(byte: UInt8(ascii: ".")) }
        while position < reply.count, case let length = unsafe Int(reply[position]), length != 0 {
            let end = position &+ 1 &+ length
            guard end < reply.count else { return 0 }
            for index in (position &+ 1)..<end { append(unsafe reply[index]) }
            line.append(byte: UInt8(ascii: "."))
            position = end
        }
        guard position &+ 2 < reply.count else { return 0 }
        return unsafe UInt16(reply[position &+ 1]) << 8 | UInt16(reply[position &+ 2])
    }

    /// One octet of a name. Whatever could end a field or a JSON string is written as in a master file, its backslash
    /// doubled in JSON.
    private func append(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "."), 0...0x20, 0x7f...0xff:
            line.append(byte: UInt8(ascii: "\\"))
            if isJSON { line.append(byte: UInt8(ascii: "\\")) }
            line.append(byte: 0x30 &+ octet / 100)
            line.append(byte: 0x30 &+ octet / 10 % 10)
            line.append(byte: 0x30 &+ octet % 10)
        default:
            line.append(byte: octet)
        }
    }

    private func append(type: UInt16) {
        switch RecordType(rawValue: type) {
        case .a: line.append("A")
        case .aaaa: line.append("AAAA")
        case .ns: line.append("NS")
        case .cname: line.append("CNAME")
        case .soa: line.append("SOA")
        case .ptr: line.append("PTR")
        case .mx: line.append("MX")
        case .txt: line.append("TXT")
        case .srv: line.append("SRV")
        case .ds: line.append("DS")
        case .caa: line.append("CAA")
        case .any: line.append("ANY")
        default:
            line.append("TYPE")
            line.append(UInt64(type))
        }
    }

    private func append(code reply: UnsafeRawBufferPointer) {
        switch ResponseCode(rawValue: unsafe UInt16(reply[3] & 15)) {
        // The extended codes here are BADVERS, whose lower part is that of NOERROR, and BADCOOKIE, whose is 7.
        case .noError: line.append(unsafe isBadVersion(reply) ? "BADVERS" : "NOERROR")
        case ResponseCode(rawValue: ResponseCode.badCookie.rawValue & 15): line.append("BADCOOKIE")
        case .formatError: line.append("FORMERR")
        case .serverFailure: line.append("SERVFAIL")
        case .nameError: line.append("NXDOMAIN")
        case .notImplemented: line.append("NOTIMP")
        case .refused: line.append("REFUSED")
        case .nameTooLong: line.append("YXDOMAIN")
        default: line.append("OTHER")
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
