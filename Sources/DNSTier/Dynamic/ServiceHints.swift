import DNSWire
import Model

/// `ipv4hint=auto` and `ipv6hint=auto` in SVCB and HTTPS records (RFC 9460 section 7.3): the addresses of the region that is
/// chosen, so that a hint never leads elsewhere than the answer.
enum ServiceHints {
    /// The words of a record without those that say `auto`, and the families that they were for.
    static func split(_ words: [TextToken]) -> (words: [TextToken], hints: Set<IPAddress.Family>) {
        var hints: Set<IPAddress.Family> = []
        let kept = words.filter { word in
            switch word.string {
            case "ipv4hint=auto": hints.insert(.v4)
            case "ipv6hint=auto": hints.insert(.v6)
            default: return true
            }
            return false
        }
        return (kept, hints)
    }

    /// `data` with a hint of `addresses` in its place among the parameters, which ascend by key; as it is when there are
    /// none, or one stands there already.
    static func adding(_ addresses: [[UInt8]], _ family: IPAddress.Family, to data: RecordData) -> RecordData {
        guard !addresses.isEmpty else { return data }
        let wire = data.wire
        let key = family == .v4 ? 4 : 6
        // Priority, then the target's labels.
        var position = 2
        while position < wire.count, wire[position] != 0 { position += Int(wire[position]) + 1 }
        position += 1
        while position + 4 <= wire.count {
            let next = Int(wire[position]) << 8 | Int(wire[position + 1])
            if next == key { return data }
            if next > key { break }
            position += 4 + (Int(wire[position + 2]) << 8 | Int(wire[position + 3]))
        }
        guard position <= wire.count else { return data }
        let value = addresses.flatMap(\.self)
        let parameter = [0, UInt8(key), UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
        return (try? RecordData(type: data.type, wire: wire[..<position] + parameter + wire[position...])) ?? data
    }
}
