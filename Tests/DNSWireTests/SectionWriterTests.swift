import DNSWire
import Model
import Testing

@Suite struct SectionWriterTests {
    private func data(_ type: RecordType, _ text: String) throws -> RecordData {
        try RecordData(type: type, tokens: MasterFile.words(text) ?? [], origin: nil)
    }

    /// The sections behind a question for `question`, read back.
    private func message(_ writer: SectionWriter, question: Name) throws -> Message {
        var octets: [UInt8] = [0, 1, 0x84, 0, 0, 1]
        for count in writer.counts { octets += [UInt8(count >> 8), UInt8(count & 0xff)] }
        octets += question.wire + [0, 1, 0, 1] + writer.octets
        return try Message(octets.span.bytes)
    }

    @Test func compressesAgainstTheQuestionAndItself() throws {
        let name = try Name("www.shop.test.")
        var writer = SectionWriter(suffix: name)
        writer.write(.answer, owner: .question, ttl: 60, data: try data(.mx, "10 mail.shop.test."))
        writer.write(.answer, owner: .question, ttl: 60, data: try data(.mx, "20 b.mail.shop.test."))
        writer.write(.authority, owner: .name(try Name("SHOP.test.")), ttl: 5, data: try data(.ns, "www.shop.test."))
        let mail = try Name("mail.shop.test.")
        writer.write(.additional, owner: .name(mail), ttl: 9, data: RecordData(IPAddress(v4: 1)))
        // Names are 2 octets each, but for the first "mail" (7) and "b" (4).
        #expect(writer.octets.count == 4 * 2 + 4 * 10 + (2 + 7) + (2 + 4) + 2 + 4)
        let message = try message(writer, question: name)
        #expect(
            message.answer.map(\.data.description) == ["10 mail.shop.test.", "20 b.mail.shop.test."])
        #expect(try message.authority.map(\.owner) == [Name("shop.test.")])
        #expect(message.authority.first?.data.description == "www.shop.test.")
        #expect(message.additional.map(\.owner) == [mail])
    }

    @Test func leavesSRVAndUnknownDataAlone() throws {
        let name = try Name("www.shop.test.")
        var writer = SectionWriter(suffix: name)
        writer.write(.answer, owner: .question, ttl: 60, data: try data(.srv, "1 2 3 www.shop.test."))
        #expect(writer.octets.count == 2 + 10 + 6 + name.wire.count)
        #expect(writer.pointers.map(\.isQuestion) == [true])
    }

    @Test func refusesDataThatDoesNotFitItsType() throws {
        #expect(throws: WireError.badRecordData) { try RecordData(type: .a, wire: [1, 2, 3]) }
        #expect(throws: WireError.badRecordData) { try RecordData(type: .mx, wire: [0, 1, 3, 0x61]) }
        #expect(throws: WireError.badRecordData) { try RecordData(type: .txt, wire: []) }
        #expect(throws: WireError.badRecordData) { try RecordData(type: .ns, wire: [0, 0]) }
        #expect(try RecordData(type: RecordType(rawValue: 4711), wire: []).description == "\\# 0")
    }
}
