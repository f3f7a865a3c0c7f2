import Model

extension Compiler {
    /// How DNS nodes behave beyond answering, from the section `dns`.
    func conduct(_ record: Record) -> DNSConduct {
        var conduct = DNSConduct()
        conduct.amplification = record.integer("amplification")
        let identity = record.section("identity")
        conduct.identity.name = identity.optionalText("name")
        conduct.identity.nsid = identity.boolean("nsid")
        conduct.identity.chaos = identity.boolean("chaos")
        conduct.identity.version = identity.text("version")
        let cookies = record.section("cookies")
        conduct.cookies.secrets = cookies.items("secrets").compactMap { $0.record.map(Self.secret) }
        conduct.cookies.required = cookies.boolean("required")
        conduct.rateLimit = record.record("rateLimit").map(rateLimit)
        let tcp = record.section("tcp")
        conduct.tcp.askedConnections = tcp.optionalInteger("connections")
        conduct.tcp.perSource = tcp.integer("perSource")
        conduct.tcp.idle = tcp.duration("idle")
        conduct.tcp.message = tcp.duration("message")
        conduct.proxy = record.record("proxy").map {
            DNSConduct.Proxy(port: $0.port("port"), from: prefixes($0, "from"))
        }
        return conduct
    }

    private func rateLimit(_ record: Record) -> DNSConduct.RateLimit {
        var limit = DNSConduct.RateLimit()
        limit.responses = record.integer("responsesPerSecond")
        limit.negatives = record.optionalInteger("negativesPerSecond") ?? limit.responses
        limit.errors = record.optionalInteger("errorsPerSecond") ?? limit.responses
        limit.slip = record.integer("slip")
        limit.window = Int(record.duration("window").components.seconds)
        limit.v4Length = record.integer("ipv4Length")
        limit.v6Length = record.integer("ipv6Length")
        limit.exempt = prefixes(record, "exempt")
        limit.tableSize = record.integer("tableSize")
        return limit
    }

    func prefixes(_ record: Record, _ key: String) -> [IPPrefix] {
        record.items(key).compactMap { item in
            if case .prefix(let prefix) = item.atom { return prefix }
            return nil
        }
    }
}
