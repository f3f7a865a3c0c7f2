import DNSTier
import DNSWire
import Testing

/// Names below a DNAME: what BIND 9.18, Knot DNS 3.2 and NSD 4.6 answer with this zone, all of them alike.
@Suite struct AliasedAnswerTests {
    private static let zone = """
        $TTL 300
        @ SOA ns1 h 1 7200 900 1209600 60
        @ NS ns1
        ns1 A 192.0.2.53
        www A 192.0.2.1
        old DNAME new
        a.new A 192.0.2.2
        c.new CNAME www
        cc.new CNAME c.new
        d.new CNAME x.old2
        e.new CNAME far.example.
        m.new MX 10 mail
        *.w.new A 192.0.2.9
        old2 DNAME new2
        x.new2 A 192.0.2.3
        y.new2 CNAME a.new
        out DNAME far.example.
        two DNAME three
        three DNAME new
        deleg NS ns.deleg
        ns.deleg A 192.0.2.77
        todel DNAME deleg
        direct CNAME a.old
        ddd CNAME cc.old
        k CNAME o.out
        loop DNAME loop.loop
        """

    /// The answer section, names relative to the zone; what the authority section begins with, and the code.
    private static let cases: [(name: String, type: RecordType, answer: String, authority: RecordType?, code: UInt16)] =
        [
            // The CNAME that is made is what was asked for: nothing follows it.
            ("a.old", .cname, "old DNAME new, a.old CNAME a.new", nil, 0),
            ("nx.old", .cname, "old DNAME new, nx.old CNAME nx.new", nil, 0),
            ("c.old", .cname, "old DNAME new, c.old CNAME c.new", nil, 0),
            ("d.old", .cname, "old DNAME new, d.old CNAME d.new", nil, 0),
            ("q.w.old", .cname, "old DNAME new, q.w.old CNAME q.w.new", nil, 0),
            ("y.old2", .cname, "old2 DNAME new2, y.old2 CNAME y.new2", nil, 0),
            ("a.two", .cname, "two DNAME three, a.two CNAME a.three", nil, 0),
            ("a.todel", .cname, "todel DNAME deleg, a.todel CNAME a.deleg", nil, 0),
            ("x.loop", .cname, "loop DNAME loop.loop, x.loop CNAME x.loop.loop", nil, 0),
            ("z.out", .cname, "out DNAME far.example., z.out CNAME z.far.example.", nil, 0),
            ("direct", .cname, "direct CNAME a.old", nil, 0),
            // Any other type goes on where the CNAME leads, through all that it meets.
            ("a.old", .a, "old DNAME new, a.old CNAME a.new, a.new A 192.0.2.2", nil, 0),
            ("a.old", .mx, "old DNAME new, a.old CNAME a.new", .soa, 0),
            ("a.old", .dname, "old DNAME new, a.old CNAME a.new", .soa, 0),
            ("nx.old", .a, "old DNAME new, nx.old CNAME nx.new", .soa, 3),
            ("c.old", .a, "old DNAME new, c.old CNAME c.new, c.new CNAME www, www A 192.0.2.1", nil, 0),
            (
                "ddd", .a,
                "ddd CNAME cc.old, old DNAME new, cc.old CNAME cc.new, cc.new CNAME c.new, c.new CNAME www, www A 192.0.2.1",
                nil, 0
            ),
            (
                "d.old", .a,
                "old DNAME new, d.old CNAME d.new, d.new CNAME x.old2, old2 DNAME new2, x.old2 CNAME x.new2, x.new2 A 192.0.2.3",
                nil, 0
            ),
            ("y.old2", .a, "old2 DNAME new2, y.old2 CNAME y.new2, y.new2 CNAME a.new, a.new A 192.0.2.2", nil, 0),
            ("z.out", .a, "out DNAME far.example., z.out CNAME z.far.example.", nil, 0),
            ("k", .a, "k CNAME o.out, out DNAME far.example., o.out CNAME o.far.example.", nil, 0),
            ("e.old", .a, "old DNAME new, e.old CNAME e.new, e.new CNAME far.example.", nil, 0),
            ("m.old", .mx, "old DNAME new, m.old CNAME m.new, m.new MX 10 mail", nil, 0),
            ("q.w.old", .a, "old DNAME new, q.w.old CNAME q.w.new, q.w.new A 192.0.2.9", nil, 0),
            (
                "a.two", .a,
                "two DNAME three, a.two CNAME a.three, three DNAME new, a.three CNAME a.new, a.new A 192.0.2.2", nil, 0
            ),
            ("a.todel", .a, "todel DNAME deleg, a.todel CNAME a.deleg", .ns, 0),
        ]

    @Test(arguments: cases.indices) func asOtherServersDo(_ index: Int) throws {
        let expected = Self.cases[index]
        let server = try AnsweringServer(zones: [("shop.test.", Self.zone)])
        for transport in [Responder.Transport.udp, .tcp] {
            let reply = try server.ask("\(expected.name).shop.test.", expected.type, over: transport)
            let lines = reply.answer.map { record in
                "\(record.owner) \(record.type) \(record.data.description)".replacing(".shop.test.", with: "")
            }
            #expect(lines.joined(separator: ", ") == expected.answer, "\(expected.name) \(expected.type)")
            #expect(reply.authority.first?.type == expected.authority, "\(expected.name) \(expected.type)")
            #expect(reply.code.rawValue == expected.code && reply.isAuthoritative)
        }
    }
}
