from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from triage import catalogues


class Command(BaseCommand):
    help = "Bring the catalogues of the interface's messages up to date, and compile them."
    requires_system_checks = ()  # before there is a database or a compiled catalogue

    def add_arguments(self, parser: ArgumentParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--compile", action="store_true", help="only compile what is there")
        only.add_argument("--check", action="store_true", help="change nothing; exit 1 on a fault")

    def handle(self, **options: Any) -> str:
        files = catalogues.po_files()
        if options["compile"]:
            for file in files:
                catalogues.compiled(file)
            return f"Compiled: {', '.join(map(catalogues.language_of, files))}."
        template = catalogues.messages()
        faults: list[str] = []
        for file in files:
            catalogue = catalogues.catalogue_of(file)
            if not options["check"]:
                catalogue = catalogues.merged(catalogue, template)
                file.write_bytes(catalogues.written(catalogue))
                catalogues.compiled(file)
            language = catalogues.language_of(file)
            faults += [f"{language}: {f}" for f in catalogues.faults_in(catalogue, template)]
        if faults and options["check"]:
            raise CommandError("\n".join(faults))
        return "\n".join(faults) or "Every message is translated."
