import ControlPlane
import DNSWire
import Model
import Steering

/// The DNS tier's part of `/status`.
enum ServerStatus {
    static func value(_ view: ServerView) -> StatusValue {
        [
            "queries": queries(view),
            "zones": .array(
                // Of very many zones the first ones.
                view.table.zones.zones.prefix(1000).map { zone in
                    [
                        "zone": .string(zone.origin), "serial": .init(zone.serial), "names": .init(zone.names),
                        "dynamicNames": .init(zone.dynamicNames),
                    ]
                }),
            "zoneCount": .init(view.table.zones.segments.count),
            "keptZones": .array(
                view.preparation.keptZones.map { ["zone": .string($0.origin), "trouble": .string($0.trouble)] }),
            "names": .array(view.preparation.names.indices.map { name($0, view) }),
            "tableGeneration": .init(view.table.generation), "measuredLatency": measured(view),
        ]
    }

    /// Null where nothing is steered by measured latency.
    private static func measured(_ view: ServerView) -> StatusValue {
        guard view.preparation.snapshot.dns.measuresLatency else { return .null }
        let measured = view.measured
        return [
            "prefixes": .init(measured.prefixes), "samples": .init(measured.samples),
            "windows": .init(measured.windows), "evicted": .init(measured.evicted), "tables": .init(measured.tables),
            "ageSeconds": measured.age.map { .double(Double($0.milliseconds) / 1000) } ?? .null,
        ]
    }

    private static func queries(_ view: ServerView) -> StatusValue {
        var codes: [String: StatusValue] = [:]
        for (code, counter) in ServerMetrics.codes { codes[code] = .init(view.total(counter)) }
        return [
            "udp": .init(view.total(.udp)), "tcp": .init(view.total(.tcp)), "dropped": .init(view.total(.dropped)),
            "truncated": .init(view.total(.truncated)), "steered": .init(view.total(.dynamic)),
            "codes": .object(codes),
        ]
    }

    private static func name(_ index: Int, _ view: ServerView) -> StatusValue {
        let name = view.preparation.names[index]
        let look = view.state.look(at: index)
        let health = look.health(view: DynamicSlots.view(of: nil), isExplained: true)
        let facts = view.state.facts(of: index)
        return [
            "name": .string(name.settings.name), "service": name.service.map { .string($0) } ?? .null,
            "ttl": .init(name.settings.ttl), "classes": .init(name.plan.classCount),
            "failOpen": .bool(facts.failOpen), "stale": .bool(facts.isStale),
            "exploredShare": name.plan.explores ? .double(facts.explored) : .null,
            "candidates": .array(name.candidates.indices.map { candidate($0, of: name, health[$0], look) }),
        ]
    }

    static func candidate(
        _ position: Int, of name: PreparedName, _ health: CandidateHealth, _ look: NameLook
    ) -> StatusValue {
        let down = look.addresses(of: position).filter { !$0.isAlive }
        return [
            "answer": .string(name.candidates[position].answer), "region": .string(name.candidates[position].region),
            "healthy": .bool(health.healthy),
            "share": .double(health.healthy ? health.share : 0), "stale": .bool(health.stale),
            "reason": .string(health.reason), "down": .array(down.map { .string("\($0.address.address)") }),
            "records": .array(name.records[position].map { .string("\($0.data.type) \($0.data.description)") }),
        ]
    }
}
