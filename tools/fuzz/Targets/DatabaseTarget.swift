import Health
import Model
import StreamWire

/// What a database server says to those who probe it: its stream, and what is read from the answers in it.
package struct DatabaseTarget: FuzzTarget {
    package static let name = "postgresql-replies"
    package static let limit = 40_000
    package static let tokens: [[UInt8]] =
        [
            message("R", [0, 0, 0, 0]), message("R", [0, 0, 0, 3]), message("R", [0, 0, 0, 5, 1, 2, 3, 4]),
            message("R", [0, 0, 0, 10] + "SCRAM-SHA-256\0\0".octets), message("Z", [0x49]),
            message("C", "SELECT 1\0".octets),
            message("D", [0, 0]), message("D", [0, 1, 255, 255, 255, 255]), message("D", [0, 1, 0, 0, 0, 1, 0x74]),
            message("E", "SFATAL\0C53300\0Mfull\0\0".octets), message("N", "Mhello\0\0".octets),
            message("S", "a\0b\0".octets),
            [0x44, 0x7f, 0xff, 0xff, 0xff], [255, 255, 255, 255], [0, 0, 0, 4], [0, 0, 0, 3], [0, 7],
        ]
        + [
            "nan", "inf", "-inf", "1e17", "1e400", "9223372036854775808", "0/0", "FFFFFFFF/FFFFFFFF", "t", "f",
            "r=,s=,i=4096",
        ]
        .map(\.octets)

    private struct Reading: Equatable {
        var messages: [PostgreSQLMessage] = []
        var breach: PostgreSQLStream.Breach?
        var held = 0
        var mostHeld = 0
    }

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        let whole = Self.read(input, piece: max(input.count, 1))
        // However the stream is cut, it says the same.
        let cut = Self.read(input, piece: 7)
        guard whole.messages == cut.messages, whole.breach == cut.breach else {
            return .broken("cut up, it reads otherwise")
        }
        guard cut.mostHeld <= PostgreSQLStream.longest + 1 + 7 else {
            return .broken("\(cut.mostHeld) octets are held")
        }
        var trail = Trail()
        trail.step(message: whole.breach?.description ?? "")
        var rows: [[ReplicationFacts.Row]?] = []
        for message in whole.messages {
            switch message {
            case .authentication(let kind, let data):
                trail.step(1 + Int(truncatingIfNeeded: kind & 15))
                if !data.isEmpty { trail.step(17) }
            case .error(let complaint):
                guard complaint.sentence.utf8.count <= PostgreSQLComplaint.longest + 32 else {
                    return .broken("an error of \(complaint.sentence.utf8.count) octets")
                }
                guard complaint.sentence == complaint.sentence.printable else { return .broken("unprintable text") }
                trail.step(18 + complaint.severity.utf8.count)
            case .row(let row):
                trail.step(40 + min(row.count, 9))
                rows.append([row])
            case .completed: trail.step(50)
            case .ready: trail.step(51)
            case .detail: trail.step(52)
            case .unasked: trail.step(53)
            case .unexpected: trail.step(54)
            }
        }
        // Whatever came as an answer to whichever question.
        for start in rows.indices.prefix(8) {
            guard let facts = ReplicationFacts(answers: Array(rows[start...].prefix(3))) else { continue }
            if let promise = Self.promise(facts) { return .broken(promise) }
            trail.step(facts.isReplica ? 60 : 61)
            trail.step(facts.timeline == nil ? 62 : 63)
            trail.step(facts.replayed == nil ? 64 : 65)
            trail.step(facts.sinceReplay == nil ? 66 : 67)
        }
        return trail.outcome
    }

    private static func read(_ input: [UInt8], piece: Int) -> Reading {
        var stream = PostgreSQLStream()
        var reading = Reading()
        var rest = input[...]
        do throws(PostgreSQLStream.Breach) {
            while !rest.isEmpty {
                stream.append(rest.prefix(piece))
                rest = rest.dropFirst(piece)
                while let message = try stream.next() { reading.messages.append(message) }
                reading.mostHeld = max(reading.mostHeld, stream.held)
            }
        } catch { reading.breach = error }
        return reading
    }

    /// What follows from facts that make no sense may be wrong, and never negative.
    private static func promise(_ facts: ReplicationFacts) -> String? {
        var lag = ReplicaLag()
        var log = PositionHistory()
        log.record(facts.written ?? .max, at: Timestamp(nanoseconds: 0))
        for (primary, second) in [(nil, 0), (log, 1), (nil, 5)] as [(PositionHistory?, Int64)] {
            let seen = lag.record(facts, primary: primary, now: Timestamp(milliseconds: second * 1000))
            if let seen, seen.time < .zero { return "a lag of \(seen.time)" }
        }
        var group = ReplicationGroup()
        group.keep([0], maximumLag: .seconds(1))
        _ = group.record(
            0, isUp: true, role: facts.isReplica ? .replica : .primary, facts: facts, now: Timestamp(nanoseconds: 0))
        return facts.isReplica == (group.writer == nil) ? nil : "a lone primary is not written to"
    }

    private static func message(_ kind: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        [UInt8(ascii: kind), 0, 0, UInt8((body.count + 4) >> 8), UInt8((body.count + 4) & 255)] + body
    }
}
