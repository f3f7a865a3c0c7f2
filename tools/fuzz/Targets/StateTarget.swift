import ControlPlane
import Model

/// State files, with a first line that fits whatever is behind it: otherwise every change would end at the checksum.
package struct StateTarget: FuzzTarget {
    package static let name = "state"
    package static let tokens =
        [
            "meridian-state ", "meridian-state 1 ", "meridian-state 2 ", "\n", "\"verdicts\":[", "\"overrides\":[",
            "\"reports\":[", "\"kind\":\"service\"", "\"kind\":\"name\"", "\"healthy\":false", "\"heldUntil\":",
            "9223372036854", "9223372036855", "-1", "null", "\"node\":\"dns-1\"", "{}", "[]", "\\u0000", "1e400",
        ].map(\.octets)
    package static let limit = 16_384

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        for bytes in [input, StateCodec.framed(input)] {
            do {
                let state = try StateCodec.decode(bytes, node: "dns-1")
                trail.step(1 + min(state.verdicts.count, 3))
                trail.step(min(state.overrides.count, 3))
                trail.step(min(state.reports.count, 3))
                let again = try StateCodec.decode(try StateCodec.encode(state), node: "dns-1")
                guard again == state else { return .broken("\(state) became \(again)") }
            } catch {
                trail.step(message: "\(error)")
            }
        }
        return trail.outcome
    }
}
