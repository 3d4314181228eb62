from app.repositories.__entities__ import EntityRepository
from app.services.__entities__ import EntityService
