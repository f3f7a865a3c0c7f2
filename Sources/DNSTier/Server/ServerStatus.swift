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
                view.table.zones.zones.map { zone in
                    [
                        "zone": .string(zone.origin), "serial": .init(zone.serial), "names": .init(zone.names),
                        "dynamicNames": .init(zone.dynamicNames),
                    ]
                }),
            "names": .array(view.preparation.names.indices.map { name($0, view) }),
            "tableGeneration": .init(view.table.generation),
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
        return [
            "name": .string(name.settings.name), "service": name.service.map { .string($0) } ?? .null,
            "ttl": .init(name.settings.ttl), "classes": .init(name.plan.classCount),
            "failOpen": .bool(view.state.failOpen[index]),
            "candidates": .array(name.regions.indices.map { candidate($0, of: name, view.state.health[index][$0]) }),
        ]
    }

    static func candidate(_ position: Int, of name: PreparedName, _ health: CandidateHealth) -> StatusValue {
        [
            "region": .string(name.regions[position]), "healthy": .bool(health.healthy),
            "share": .double(health.healthy ? health.share : 0), "reason": .string(health.reason),
            "records": .array(name.records[position].map { .string("\($0.type) \($0.description)") }),
        ]
    }
}
