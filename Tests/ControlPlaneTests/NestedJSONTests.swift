import ControlPlane
import Federation
import Testing

@Suite("JSON of strangers")
struct NestedJSONTests {
    /// About 20 kB each, which a recursive decoder takes tens of seconds for.
    private static let nested = [
        String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000),
        String(repeating: #"{"a":"#, count: 3_000) + "1" + String(repeating: "}", count: 3_000),
        "["
            + Array(repeating: String(repeating: "[", count: 400) + String(repeating: "]", count: 400), count: 25)
            .joined(separator: ",") + "]",
    ]

    @Test("Depth is refused before anything is decoded", .timeLimit(.minutes(1)), arguments: nested)
    func depth(_ text: String) {
        #expect(StatusValue(json: Array(text.utf8)) == nil)
        #expect(throws: Refusal.malformed) { try ReportCodec.decode(Array(text.utf8)) }
        #expect(throws: Refusal.malformed) { try ReportCodec.decodeBatch(Array(text.utf8)) }
    }

    @Test("What is within the bounds is read as ever")
    func values() {
        let value = StatusValue(
            json: Array(#" {"a": [1, -2.5e1, "x\u00fc\n\ud83d\ude00", true, null], "b": {}} "#.utf8))
        #expect(value?["a"] == .array([.int(1), .int(-25), .string("xü\n😀"), .bool(true), .null]))
        #expect(value?["b"] == .object([:]))
    }

    @Test(
        "What is not JSON is nothing",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "+1", "nul", "\"\\ud800\"", "\"a\nb\"", "1 2", "{a:1}",
            "\"",
        ])
    func malformed(_ text: String) { #expect(StatusValue(json: Array(text.utf8)) == nil) }
}
