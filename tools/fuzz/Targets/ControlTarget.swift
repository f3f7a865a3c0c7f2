import ControlPlane
import Foundation
import Model

/// Bodies that are sent to the admin API, and what it answers to them.
package struct ControlTarget: FuzzTarget {
    package static let name = "control"
    package static let tokens =
        [
            "\"action\":\"drain\"", "\"action\":\"up\"", "\"kind\":\"region\"", "\"kind\":\"name\"",
            "\"kind\":\"gate\"",
            "\"pattern\":", "\"region\":\"*\"", "\"seconds\":", "\"reason\":\"", "\"author\":\"",
            "\"overrideSafety\":true",
            "\"drain\":true", "null", "{", "}", "[[[[[[[[", "]]]]]]]]", ",", ":", "1e400", "-0", "1E+2",
            "9223372036854775807",
            "9223372036854775808", "604801", "0.5", "\\u0000", "\\u001b[2J", "\\ud83d\\ude00", "\\ud800", "\u{202E}",
            "\u{FEFF}", "\\",
        ].map(\.octets)
    /// What the admin API takes of a body.
    package static let limit = 16_384

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        guard let value = StatusValue(json: input) else {
            trail.step(0)
            return trail.outcome
        }
        // What is JSON to us is JSON to others, or a proxy between could be told something else.
        guard (try? JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)) != nil else {
            return .broken("Foundation does not take \(String(decoding: input, as: UTF8.self))")
        }
        let text = value.json()
        guard let again = StatusValue(json: text), again == value else {
            return .broken("\(value) became \(String(decoding: text, as: UTF8.self))")
        }
        trail.step(1 + min(value.object.count, 8))
        trail.step(min(value.array.count, 3))
        do {
            let request = try OverrideRequest(input, peer: "127.0.0.1")
            let words = [request.reason, request.author, request.target.pattern, request.target.region]
            let longest = Override.longestPattern
            guard words.allSatisfy({ $0 == $0.printable && $0.utf8.count <= longest }),
                request.reason.utf8.count <= Override.longestReason
            else {
                return .broken("an operator's terminal would get \(words)")
            }
            guard request.duration > .zero, request.duration <= Override.longest else {
                return .broken("an override for \(request.duration)")
            }
            trail.step(2)
        } catch {
            trail.step(message: error.text)
            guard error.text.utf8.count < 1000 else { return .broken("a long refusal: \(error.text)") }
        }
        return trail.outcome
    }
}
