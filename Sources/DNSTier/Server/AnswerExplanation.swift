import ControlPlane
import DNSWire
import Model
import Steering

/// The answer to `GET /explain?kind=dns&name=…&type=…&client=…`: what is served, and why. It is made from the tables that
/// serve.
enum AnswerExplanation {
    static func value(_ question: [String: String], _ view: ServerView) -> StatusValue {
        guard let text = question["name"], let name = try? Name(text) else {
            return ["error": "name is missing or no domain name"]
        }
        guard let type = RecordType(question["type"] ?? "A") else { return ["error": "type is no record type"] }
        // A prefix stands for a client of whom its resolver tells no more (RFC 7871).
        let prefix = IPPrefix(question["client"] ?? "")
        guard let client = prefix?.address ?? IPAddress(question["client"] ?? "")?.canonical else {
            return ["error": "client is missing, or no address or prefix"]
        }
        let head: StatusValue = [
            "name": .string(name.description), "type": .string(type.description),
            "client": .string(prefix?.description ?? client.description),
            "tableGeneration": .init(view.table.generation),
        ]
        guard let index = view.preparation.names.firstIndex(where: { covers($0, name, type: type, view) }) else {
            return head.merging(served(name, type, client, view))
        }
        return head.merging(steered(index, type, client, source: prefix?.length, view).value)
    }

    /// Whether the dynamic name answers for `name`, itself or as its wildcard.
    private static func covers(_ dynamic: PreparedName, _ name: Name, type: RecordType, _ view: ServerView) -> Bool {
        guard dynamic.slots.answersEveryType || dynamic.slots.types.contains(type) else { return false }
        // The table knows what hides a name.
        return view.table.dynamicName(of: name) == dynamic.slots.index
    }

    /// A static answer, as the query function gives it.
    private static func served(_ name: Name, _ type: RecordType, _ client: IPAddress, _ view: ServerView) -> StatusValue
    {
        guard let reply = view.table.reply(to: name, type, from: client) else { return ["decision": "no reply"] }
        let decision =
            reply.code == .refused
            ? "no zone of this server holds the name" : "the zone's own records: the client does not matter"
        return [
            "decision": .string(decision), "code": .string(reply.code.description), "dynamic": false,
            "answer": records(reply.answer), "authority": records(reply.authority),
        ]
    }

    private static func records(_ records: [Message.Record]) -> StatusValue {
        .array(records.map { .string("\($0.owner) \($0.ttl) \($0.type) \($0.data.description)") })
    }

    /// Name `index` of the view for a canonical client, and what its class is answered with.
    ///
    /// `source`: bits of the client's address that are known; nil for all.
    static func steered(
        _ index: Int, _ type: RecordType, _ client: IPAddress, source: Int? = nil, _ view: ServerView
    ) -> (value: StatusValue, answer: ClassAnswer) {
        let name = view.preparation.names[index]
        let look = view.state.look(at: index)
        let health = look.health(view: DynamicSlots.view(of: type), isExplained: true)
        let state = view.state.answers.state(of: index)
        let found = name.plan.explain(client, source: source, health, spill: state.spill)
        var below: UInt32 = 0
        let variants = found.answer.variants.map { variant in
            defer { below = variant.cumulative }
            let share = Double(variant.cumulative - below) / Double(found.answer.total)
            let records = name.records(variant.candidates, type: type, without: state.dead)
            return [
                "share": .double(share), "regions": regions(name, variant.candidates),
                "records": .array(records.map { .string("\($0.type) \($0.description)") }),
            ] as StatusValue
        }
        let value: StatusValue = [
            "dynamic": true, "service": name.service.map { .string($0) } ?? .null,
            "ttl": .init(state.isDegraded ? name.settings.ttlDegraded : name.settings.ttl),
            "policy": name.settings.policy.map { .string($0.rawValue) } ?? .null,
            "chosenBy": .string(found.answer.isHashed ? "the client's prefix" : "draw"),
            "class": .init(found.client.index), "scope": .init(found.client.scope),
            "failOpen": .bool(found.answer.failOpen), "stale": .bool(state.isStale),
            "candidates": .array(health.indices.map { ServerStatus.candidate($0, of: name, health[$0], look) }),
            "steps": .array(
                found.steps.map { step in
                    [
                        "chain": .string(step.chain), "step": .string(step.step),
                        "before": .array(step.before.map { .string(step.names[$0]) }),
                        "after": .array(step.after.map { .string(step.names[$0]) }), "fact": .string(step.fact),
                    ]
                }),
            "answers": .array(variants), "latency": .array(name.plan.latencies(for: client).map { latency($0, view) }),
        ]
        return (value, found.answer)
    }

    /// What a `latency` step knows of the client, region by region.
    private static func latency(_ known: [LatencyKnowledge], _ view: ServerView) -> StatusValue {
        .array(
            known.map { entry in
                let age = entry.updated.map { max(0, view.now.milliseconds / 1000 - Int64($0)) }
                return [
                    "region": .string(view.preparation.snapshot[entry.region].name),
                    "p50Milliseconds": .double(Double(entry.microseconds) / 1000),
                    "prefix": .string(entry.prefix.description), "samples": .init(entry.samples),
                    "source": .string(entry.samples > 0 ? "measured" : "file"),
                    "ageSeconds": age.map { .init($0) } ?? .null,
                ]
            })
    }

    private static func regions(_ name: PreparedName, _ candidates: [Int]) -> StatusValue {
        .array(candidates.map { .string(name.candidates[$0].region) })
    }
}

extension AnswerTable {
    /// What the query function replies to a question over TCP; nil when it does not.
    func reply(to name: Name, _ type: RecordType, from client: IPAddress) -> Message? {
        let responder = WorkerResponder(table: self, conduct: Conduct(), seed: 1)
        let query: [UInt8] =
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name.wire
            + [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xff), 0, 1]
        var room = [UInt8](repeating: 0, count: Responder.maximumTCPSize)
        let count = unsafe room.withUnsafeMutableBytes { output in
            unsafe query.withUnsafeBytes { octets in
                unsafe responder.responder.pointee.answer(octets, from: client, over: .tcp, into: output)
            }
        }
        guard count > 0 else { return nil }
        return unsafe try? Message(room.span.bytes.extracting(0..<count))
    }

    /// The index of the dynamic name that answers for `name`.
    func dynamicName(of name: Name) -> UInt32? {
        let padded = name.folded + [UInt8](repeating: 0, count: 8)
        let zones = zones.view
        return unsafe padded.withUnsafeBytes { octets in
            guard let base = octets.baseAddress else { return nil }
            let length = name.folded.count
            let hash = unsafe FoldedName.hash(base, length: length)
            guard let place = unsafe zones.place(base, length: length, labels: name.labelCount, hash: hash) else {
                return nil
            }
            var node = unsafe place.node
            if !place.isExact {
                guard unsafe node.pointee.belowKind == FlatNode.Below.wildcard.rawValue else { return nil }
                unsafe node = node.ahead(node.pointee.below, as: FlatNode.self)
            }
            let dynamic = unsafe node.pointee.dynamic
            return dynamic == FlatNode.none ? nil : dynamic
        }
    }
}
