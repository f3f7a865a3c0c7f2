import DNSWire
import Testing

@Suite struct QueryTests {
    @Test func foldsEightOctetsAtATime() {
        for octet in UInt8(0)...255 {
            let word = UInt64(octet) * 0x0101_0101_0101_0101
            let lower = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet
            #expect(FoldedName.fold(word) == UInt64(lower) * 0x0101_0101_0101_0101, "\(octet)")
        }
    }

    @Test func hashesEqualNamesAlike() throws {
        var hashes: Set<UInt64> = []
        for length in 1...40 {
            let upper = try Name(String(repeating: "A", count: length) + ".TEST.")
            let lower = try Name(String(repeating: "a", count: length) + ".test.")
            let room = UnsafeMutableRawPointer.allocate(byteCount: FoldedName.capacity, alignment: 8)
            defer { unsafe room.deallocate() }
            let count = upper.wire.count
            let exact = unsafe upper.wire.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.map { unsafe FoldedName.copy($0, length: count, readable: count, to: room) }
            }
            let padded = upper.wire + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
            let wide = unsafe padded.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.map {
                    unsafe FoldedName.copy($0, length: count, readable: count + 8, to: room)
                }
            }
            let key = lower.folded + [0, 0, 0, 0, 0, 0, 0, 0]
            let hash = unsafe key.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.map { unsafe FoldedName.hash($0, length: count) }
            }
            #expect(exact == hash && wide == hash)
            let isEqual = unsafe key.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.map { unsafe FoldedName.equal(UnsafeRawPointer(room), $0, length: count) }
            }
            #expect(isEqual == true)
            hashes.insert(hash ?? 0)
        }
        #expect(hashes.count == 40)
    }

    @Test func readsWhatAServerNeeds() throws {
        let name = try Name("www.shop.test.")
        let octets: [UInt8] =
            [0xab, 0xcd, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1] + name.wire + [0, 28, 0, 1]
            + [0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]
        var query = Query()
        #expect(query.read(octets.span.bytes) == .answer)
        #expect(query.id == 0xabcd)
        #expect(query.nameLength == name.wire.count)
        #expect(query.labelCount == 3)
        #expect(query.type == 28)
        #expect(query.hasEDNS && query.wantsDNSSEC && !query.hasSubnet)
        #expect(query.payloadSize == 4096)
        #expect(query.questionEnd == 12 + name.wire.count + 4)
    }

    @Test func findsOPTBehindOtherRecords() throws {
        let octets: [UInt8] =
            [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 6, 0, 1] + [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 1, 0x61]
            + [0, 0, 41, 0x02, 0, 0, 0, 0, 0, 0, 0]
        var query = Query()
        #expect(query.read(octets.span.bytes) == .answer)
        #expect(query.hasEDNS)
        #expect(query.payloadSize == 512)
    }
}
