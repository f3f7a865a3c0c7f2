import ControlPlane
import DNSWire
import Engine
import Model
import Steering
import Synchronization

/// The log of explained answers: samples of what the workers served, each with the steps that led to it. Control threads.
///
/// A worker puts the reply into a ring of its own; what finds no room there is counted. Explaining is done every other second,
/// by the plan and the health behind the very table that answered. Where that table is gone already, the line says so: it
/// tells what was served and explains what would be served now.
final class AnswerJournal: Sendable {
    private let log: AccessLog
    private let rings: [LogRing]
    private let isJSON: Bool
    /// Lines written. Locked while samples are taken, since a ring has one consumer.
    private let lines = Mutex<UInt64>(0)

    /// Nil when `settings` want none.
    ///
    /// - Throws: when the file cannot be opened.
    init?(_ settings: LogSettings, workers: Int) throws(SocketError) {
        guard let path = settings.explain else { return nil }
        log = try AccessLog(path: path, key: "log.explain", workers: 1)
        rings = (0..<workers).map { _ in LogRing(capacity: AnswerSampler.ringSize) }
        isJSON = settings.format == .json
    }

    func ring(_ worker: Int) -> LogRing { rings[worker] }

    var written: UInt64 { lines.withLock { $0 } }
    /// Samples and lines that found no room.
    var lost: UInt64 { rings.reduce(log.dropped) { $0 + $1.dropped } }

    /// Explains all samples.
    ///
    /// `views`: the server as of the latest tables, the one in force last.
    func explain(_ views: [ServerView]) {
        guard let current = views.last else { return }
        lines.withLock { lines in
            for ring in rings {
                for sample in AnswerSample.read(ring.take()) {
                    let view = views.first { $0.table.generation == sample.generation } ?? current
                    guard let line = AnswerLine(sample, view) else { continue }
                    let octets = (isJSON ? line.value.json() : Array(line.text.utf8)) + [0x0a]
                    // A full ring is emptied by the writer's thread; its lines are counted by it.
                    if unsafe octets.withUnsafeBytes({ unsafe log.ring(0).append($0) }) { lines += 1 }
                }
            }
        }
    }

    /// As the access log does.
    func reopen() throws(SocketError) { try log.reopen() }

    /// Writes what is left. Once.
    func stop() { log.stop() }
}

/// One explained answer.
struct AnswerLine {
    private let sample: AnswerSample
    private let head: [(key: String, text: String)]
    private let records: [String]
    private let isTruncated: Bool
    /// The regions that were answered with; nil when the table that knew is gone.
    private let regions: [String]?
    private let explanation: StatusValue
    private let generation: UInt64

    /// Nil when the sample is no answer of a dynamic name that is still there.
    init?(_ sample: AnswerSample, _ view: ServerView) {
        guard let question = sample.reply.question, let index = view.table.dynamicName(of: question.name),
            view.preparation.names.indices.contains(Int(index))
        else { return nil }
        let name = view.preparation.names[Int(index)]
        guard name.slots.answersEveryType || name.slots.types.contains(question.type) else { return nil }
        self.sample = sample
        generation = view.table.generation
        let client = sample.client
        records = sample.reply.answer.map { "\($0.type) \($0.data.description)" }
        isTruncated = sample.reply.flags & HeaderFlag.truncated != 0
        let time = LogLine()
        time.append(sample.time)
        head = [
            ("time", unsafe String(decoding: time.bytes, as: UTF8.self)), ("source", sample.source.description),
            ("client", client.prefix?.description ?? client.address.description),
            ("transport", sample.isStream ? "tcp" : "udp"), ("name", question.name.description),
            ("type", question.type.description),
        ]
        // IPv4 inside IPv6 begins behind 96 bits.
        let source = client.prefix.map { $0.length - ($0.address.family == client.address.family ? 0 : 96) }
        let (value, answer) = AnswerExplanation.steered(
            Int(index), question.type, client.address, source: source, view)
        var object = value.object
        for key in ["candidates", "latency", "dynamic"] { object[key] = nil }
        explanation = .object(object)
        // The very draw that the worker made, over the weights that it was made over.
        let chosen =
            answer.isHashed
            ? answer.pick(client: client.address)
            : answer.pick(DynamicTable.View.ball(sample.random, total: answer.total))
        let chosenRecords = name.records(
            chosen, type: question.type, without: view.state.answers.state(of: Int(index)).dead
        ).map { "\($0.type) \($0.description)" }
        let isServed = generation == sample.generation && (isTruncated || Set(chosenRecords) == Set(records))
        regions = isServed ? chosen.map { name.candidates[$0].region } : nil
    }

    var value: StatusValue {
        var object = explanation.object
        for (key, text) in head { object[key] = .string(text) }
        object["served"] = [
            "generation": .init(sample.generation), "truncated": .bool(isTruncated),
            "records": .array(records.map { .string($0) }),
            "regions": regions.map { .array($0.map { .string($0) }) } ?? .null,
        ]
        object["generation"] = .init(generation)
        return .object(object)
    }

    /// `time source client transport name type: regions (records), generation n; step a,b > a: fact; …`
    var text: String {
        var text = head.map(\.text).joined(separator: " ") + ": " + (regions?.joined(separator: ",") ?? "?")
        text +=
            " (" + (isTruncated ? "truncated" : records.joined(separator: ", ")) + "), generation \(sample.generation)"
        if generation != sample.generation { text += ", explained by generation \(generation)" }
        for step in explanation["steps"].array {
            func names(_ key: String) -> String { step[key].array.compactMap(\.string).joined(separator: ",") }
            let chain = step["chain"].string.map { $0.isEmpty ? "" : "\($0)/" } ?? ""
            text +=
                "; \(chain)\(step["step"].string ?? "") \(names("before")) > \(names("after")): \(step["fact"].string ?? "")"
        }
        // Reasons come from peers: nothing of them may end the line.
        return text.printable
    }
}
