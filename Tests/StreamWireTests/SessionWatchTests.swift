import StreamWire
import Testing

@Suite struct SessionWatchTests {
    private static let notification: [UInt8] = [0x41, 0, 0, 0, 12, 0, 0, 0, 7, 0x78, 0, 0x79, 0]
    private static let notice: [UInt8] = [0x4e, 0, 0, 0, 8, 0x4d, 0x61, 0, 0]
    private static let parameter: [UInt8] = [0x53, 0, 0, 0, 8, 0x61, 0, 0x62, 0]

    private func ready(_ state: Unicode.Scalar) -> [UInt8] { [0x5a, 0, 0, 0, 5, UInt8(ascii: state)] }

    private func tell(_ watch: inout SessionWatch, _ octets: [UInt8]) { watch.serverSent(octets.span.bytes) }

    private func watch(_ pieces: [UInt8]...) -> SessionWatch {
        var watch = SessionWatch()
        for piece in pieces { tell(&watch, piece) }
        return watch
    }

    @Test func anAnswerEndsWithTheState() {
        #expect(SessionWatch().standing == .unknown)
        #expect(watch([1, 2, 3] + ready("I")).standing == .idle)
        #expect(watch(ready("T")).standing == .inTransaction)
        #expect(watch(ready("E")).standing == .inTransaction)
        #expect(watch(ready("X")).standing == .unknown)
        #expect(watch([0x5a, 0], [0, 0], [5], [0x49]).standing == .idle)
        #expect(watch(ready("I"), [0x54, 0, 0, 0, 9, 1]).standing == .unknown)
    }

    @Test(arguments: [notification, notice, parameter, notification + notice + parameter])
    func whatComesUnaskedChangesNothing(words: [UInt8]) {
        for (state, standing) in [("I", .idle), ("T", .inTransaction)] as [(Unicode.Scalar, SessionWatch.Standing)] {
            for cut in 0...words.count {
                var watch = watch(ready(state))
                tell(&watch, Array(words[..<cut]))
                tell(&watch, Array(words[cut...]))
                #expect(watch.standing == standing, "cut at \(cut)")
                tell(&watch, words)
                #expect(watch.standing == standing)
            }
        }
    }

    @Test func whatIsNotWholeIsUnderWay() {
        for count in 1..<Self.notification.count {
            #expect(watch(ready("I"), Array(Self.notification[..<count])).standing == .unknown, "\(count) octets")
        }
        #expect(watch(ready("I"), Self.notice + [0x41]).standing == .unknown)
        // Its length is whatever the server says.
        #expect(watch(ready("I"), [0x41, 0x7f, 0xff, 0xff, 0xff] + ready("I")).standing == .unknown)
    }

    @Test func whatIsNoMessageIsNotSkipped() {
        for length: [UInt8] in [[0, 0, 0, 3], [0, 0, 0, 0], [0x80, 0, 0, 4], [0xff, 0xff, 0xff, 0xff]] {
            #expect(watch(ready("I"), [0x41] + length).standing == .unknown)
            // The next answer tells again.
            #expect(watch(ready("I"), [0x41] + length, ready("T")).standing == .inTransaction)
        }
    }

    @Test func aQuestionIsUnderWayUntilItsAnswerEnds() {
        var watch = watch(ready("I"))
        watch.clientSent()
        #expect(watch.standing == .unknown)
        // Said before the question got there.
        tell(&watch, Self.notification)
        #expect(watch.standing == .unknown)
        tell(&watch, ready("I"))
        #expect(watch.standing == .idle)
        // In the middle of what is said unasked.
        tell(&watch, Array(Self.notification[..<7]))
        watch.clientSent()
        tell(&watch, Array(Self.notification[7...]))
        #expect(watch.standing == .unknown)
        tell(&watch, Self.notice + ready("E"))
        #expect(watch.standing == .inTransaction)
    }

    @Test func answersAfterUnaskedWordsAreSeen() {
        #expect(watch(ready("I"), Self.notice + [0x43, 0, 0, 0, 5, 0] + ready("T")).standing == .inTransaction)
        #expect(watch(ready("I"), Self.notice, ready("T")).standing == .inTransaction)
    }
}
