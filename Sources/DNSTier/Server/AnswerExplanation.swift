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
        guard let client = IPAddress(question["client"] ?? "")?.canonical else {
            return ["error": "client is missing or no address"]
        }
        let head: StatusValue = [
            "name": .string(name.description), "type": .string(type.description),
            "client": .string(client.description), "tableGeneration": .init(view.table.generation),
        ]
        guard let index = view.preparation.names.firstIndex(where: { covers($0, name, type: type, view) }) else {
            return head.merging(served(name, type, client, view))
        }
        return head.merging(steered(index, type, client, view))
    }

    /// Whether the dynamic name answers for `name`, itself or as its wildcard.
    private static func covers(_ dynamic: PreparedName, _ name: Name, type: RecordType, _ view: ServerView) -> Bool {
        guard dynamic.slots.answersEveryType || dynamic.slots.types.contains(type) else { return false }
        if dynamic.name == name { return true }
        guard dynamic.name.isWildcard, name.isWithin(dynamic.suffix), name != dynamic.suffix else { return false }
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

    private static func steered(
        _ index: Int, _ type: RecordType, _ client: IPAddress, _ view: ServerView
    ) -> StatusValue {
        let name = view.preparation.names[index]
        let health = view.state.health[index]
        let found = name.plan.explain(client, health)
        var below: UInt32 = 0
        let variants = found.answer.variants.map { variant in
            defer { below = variant.cumulative }
            let share = Double(variant.cumulative - below) / Double(found.answer.total)
            let records = DynamicAnswers.records(of: name, variant.candidates, type: type)
            return [
                "share": .double(share), "regions": regions(name, variant.candidates),
                "records": .array(records.map { .string("\($0.type) \($0.description)") }),
            ] as StatusValue
        }
        return [
            "dynamic": true, "service": name.service.map { .string($0) } ?? .null, "ttl": .init(name.settings.ttl),
            "class": .init(found.client.index), "scope": .init(found.client.scope),
            "failOpen": .bool(found.answer.failOpen),
            "candidates": .array(health.indices.map { ServerStatus.candidate($0, of: name, health[$0]) }),
            "steps": .array(
                found.steps.map { step in
                    [
                        "step": .string(step.step), "before": regions(name, step.before),
                        "after": regions(name, step.after), "fact": .string(step.fact),
                    ]
                }),
            "answers": .array(variants),
        ]
    }

    private static func regions(_ name: PreparedName, _ candidates: [Int]) -> StatusValue {
        .array(candidates.map { .string(name.regions[$0]) })
    }
}

extension AnswerTable {
    /// What the query function replies to a question over TCP; nil when it does not.
    func reply(to name: Name, _ type: RecordType, from client: IPAddress) -> Message? {
        let responder = WorkerResponder(table: self, maximumUDPSize: 4096, seed: 1)
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
            var node = unsafe zones.nodes[Int(place.node)]
            if !place.isExact {
                guard node.belowKind == FlatNode.Below.wildcard.rawValue else { return nil }
                node = unsafe zones.nodes[Int(node.below)]
            }
            return node.dynamic == FlatNode.none ? nil : node.dynamic
        }
    }
}
