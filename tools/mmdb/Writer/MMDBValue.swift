/// A value of a MaxMind DB's data section (format version 2.0, "Output Data Section"), as far as places need them.
package enum MMDBValue: Sendable, Hashable {
    case string(String)
    case double(Double)
    case uint16(UInt16)
    case uint32(UInt32)
    case uint64(UInt64)
    /// Keys are written in this order.
    case map([Member])
    case array([MMDBValue])

    package struct Member: Sendable, Hashable {
        package let key: String
        package let value: MMDBValue

        package init(_ key: String, _ value: MMDBValue) {
            self.key = key
            self.value = value
        }
    }

    /// Appends the octets of the value.
    func write(to octets: inout [UInt8]) {
        switch self {
        case .string(let text):
            Self.control(2, size: text.utf8.count, &octets)
            octets += text.utf8
        case .double(let number):
            Self.control(3, size: 8, &octets)
            Self.append(number.bitPattern, size: 8, &octets)
        case .uint16(let number): Self.integer(5, UInt64(number), &octets)
        case .uint32(let number): Self.integer(6, UInt64(number), &octets)
        case .uint64(let number): Self.integer(9, number, &octets)
        case .map(let members):
            Self.control(7, size: members.count, &octets)
            for member in members {
                MMDBValue.string(member.key).write(to: &octets)
                member.value.write(to: &octets)
            }
        case .array(let values):
            Self.control(11, size: values.count, &octets)
            for value in values { value.write(to: &octets) }
        }
    }

    /// Leading zeros are left out, so that 0 has no octets at all.
    private static func integer(_ type: UInt8, _ number: UInt64, _ octets: inout [UInt8]) {
        let size = (UInt64.bitWidth - number.leadingZeroBitCount + 7) / 8
        control(type, size: size, &octets)
        append(number, size: size, &octets)
    }

    private static func append(_ number: UInt64, size: Int, _ octets: inout [UInt8]) {
        for index in (0..<size).reversed() { octets.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    /// The control octet, the type of an extended one, and what the size has beyond 28.
    private static func control(_ type: UInt8, size: Int, _ octets: inout [UInt8]) {
        let (code, extra): (UInt8, [UInt8]) =
            switch size {
            case ..<29: (UInt8(size), [])
            case ..<285: (29, [UInt8(size - 29)])
            case ..<65_821: (30, [UInt8((size - 285) >> 8), UInt8((size - 285) & 0xff)])
            default:
                (
                    31,
                    [
                        UInt8(truncatingIfNeeded: (size - 65_821) >> 16),
                        UInt8(truncatingIfNeeded: (size - 65_821) >> 8), UInt8(truncatingIfNeeded: size - 65_821),
                    ]
                )
            }
        if type < 8 {
            octets.append(type << 5 | code)
        } else {
            octets += [code, type - 7]
        }
        octets += extra
    }
}
